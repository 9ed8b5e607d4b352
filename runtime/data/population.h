// The values of one variable in a source. A column is checked against the variable's shape and domain when it
// is opened. Rows are then gathered as float32 in the variable's tensor shape (categories one-hot, class axis
// first). The rows of a streamed column are checked when they are gathered. Failure(bad_data) names the
// variable and the column if shapes do not fit, a row is outside the domain (the first such row), or every
// value is missing.
#pragma once
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "runtime/data/expressions/evaluate.h"
#include "runtime/data/table.h"

namespace data {

struct VariableSpec {
  std::string name;
  std::string domain;   // "binary" "category" "count" "real" "positive" "unit" "angle" "simplex"
  int64_t classes = 0;  // K of category(K) and simplex(K)
  Shape shape;          // as declared, without the axis of classes
  std::vector<std::string> words = {};  // for category("north", "south"): the words of the classes, in order
};

/// "binary[28, 28]" or "category(10)", as in the language.
std::string domain_text(const VariableSpec& variable);

class Streamed;

class Population {
 public:
  /// The rows of `column` for `variable`. In memory bytes stay bytes, and 0 and 1 are packed into bits.
  Population(const Column& column, const VariableSpec& variable);

  int64_t rows() const { return rows_; }
  bool is_streamed() const { return streamed_ != nullptr; }
  /// Number of floats per row, in the variable's tensor shape.
  int64_t row_size() const { return row_size_; }
  /// The words in the data that number the classes of a `category` which names none; empty for class numbers.
  const std::vector<std::string>& words() const { return words_; }
  /// Whether the classes of such a `category` are numbers as they stand in a text file.
  bool has_written_numbers() const { return has_written_numbers_; }
  /// For each row 1 if some value in it is missing (NaN), else 0; empty if no row has a missing value. For a
  /// row with a missing value, gather() writes any value of the domain.
  const std::vector<uint8_t>& missing() const { return missing_; }
  /// Announces that these rows are gathered soon.
  void expect(const int64_t* rows, int64_t n) const;
  /// Writes n * row_size() floats. Every row index must be in 0 ... rows() - 1. Several threads may call it
  /// at once.
  void gather(const int64_t* rows, int64_t n, float* out) const;

 private:
  enum class Encoding { bits, affine_bytes, level_bytes, reals, class_bytes, class_reals };

  void keep_bytes(const Column& column, const VariableSpec& variable);

  Encoding encoding_ = Encoding::reals;
  int64_t rows_ = 0, elements_ = 1, row_size_ = 1, first_row_ = 0, classes_ = 0;
  std::vector<uint8_t> missing_;
  std::vector<std::string> words_;
  bool has_written_numbers_ = false;
  std::shared_ptr<const std::vector<uint8_t>> bytes_;
  std::shared_ptr<const std::vector<float>> reals_;
  Levels levels_{};
  float scale_ = 1, offset_ = 0;
  std::shared_ptr<const Streamed> streamed_;
  float low_ = -std::numeric_limits<float>::infinity(), high_ = std::numeric_limits<float>::infinity();
};

/// The population of a variable in a source that contains `variable = expression`.
Population load(const schema::DataExpression& expression, const VariableSpec& variable, Context& context);

}  // namespace data
