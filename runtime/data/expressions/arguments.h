// The arguments of a reader or a table operation, as the compiler writes them: values by place, then by name.
// Failure(bad_configuration) where one is missing or of another type; the message names the call and the
// argument.
#pragma once
#include <optional>
#include <string>

#include "runtime/data/table.h"
#include "runtime/schema/data_expression.h"

namespace data {

/// Names of arguments that vaec adds and the user does not write. hidden_indices: a `category` variable takes
/// the pictures as class indices. hidden_labels: only the labels are used, so no picture is read.
/// hidden_labelled: some source uses the labels of this folder.
constexpr char hidden_indices[] = "indices of classes";
constexpr char hidden_labels[] = "labels alone";
constexpr char hidden_labelled[] = "labelled";

class Arguments {
 public:
  /// `call` names the reader or operation in messages. `given` must outlive the Arguments.
  Arguments(std::string call, const schema::Arguments& given) : call_(std::move(call)), given_(given) {}

  std::string text(size_t place, const std::string& name, std::optional<std::string> otherwise = {}) const;
  int64_t integer(size_t place, const std::string& name, std::optional<int64_t> otherwise = {}) const;
  double number(size_t place, const std::string& name, std::optional<double> otherwise = {}) const;
  bool truth(size_t place, const std::string& name, bool otherwise) const;
  /// A list of sizes. A single number counts as a list of length one.
  std::optional<Shape> sizes(size_t place, const std::string& name) const;
  /// A list of strings. A single string counts as a list of length one, and an integer as its digits.
  std::optional<std::vector<std::string>> texts(size_t place, const std::string& name) const;
  /// The call as a user writes it: `mnist("train")`. `table`: a first argument, if it is not empty.
  std::string written(const std::string& table = "") const;

 private:
  const schema::Constant* find(size_t place, const std::string& name) const;
  const schema::Constant& need(size_t place, const std::string& name) const;
  [[noreturn]] void wrong(const std::string& name, const std::string& expected,
                          const schema::Constant& got) const;

  std::string call_;
  const schema::Arguments& given_;
};

}  // namespace data
