// The codes that a model's pictures are drawn from: a variable that the decoder reads, the codes of rows of
// data, and what the decoder makes of codes.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "runtime/core/sampler.h"

namespace core {

class CodeSpace {
 public:
  /// `code`: its name; empty: the first variable that a decoder reads and no source observes, else the first
  /// that it reads. Failure(usage) where it is none, bad_configuration where the model has none.
  CodeSpace(const Image& image, Sampler& sampler, const std::string& code);

  int code() const { return code_; }
  const Variable& variable() const { return image_.variables[static_cast<size_t>(code_)]; }
  /// The variable that is shown.
  int shown() const { return shown_; }

  /// The source of this name; without one the first that is evaluated and from whose rows the codes can be
  /// drawn. Failure(usage) where there is none of the name, bad_configuration where nothing gives codes.
  int find_source(const std::string& name);
  /// Failure(usage) where the source does not have row `row`.
  void check_row(int source, int64_t row) const;
  /// The source's rows from `first` on, with what the decoder reads: drawn, and means of codes that are
  /// continuous where `means` is set.
  Values encode(int source, int64_t first, int64_t rows, bool means);
  /// What the decoder reads, as the model generates it.
  Values draw(int64_t rows);
  /// Means of what is shown.
  std::vector<float> decode(const Values& codes, int64_t rows);
  /// What the decoder reads of these values.
  Values read_by_decoder(const Values& values) const;

 private:
  void choose_code(const std::string& code);
  std::optional<DirectOrder> order_of(int source) const;
  const std::vector<int>& parents() const {
    return image_.conditionals[static_cast<size_t>(generating_)].parents;
  }

  const Image& image_;
  Sampler& sampler_;
  int code_ = -1, shown_ = -1, generating_ = -1;
};

/// Whether codes of the variable can be mixed: numbers, not classes or bits.
bool is_continuous(const Variable& variable);

}  // namespace core
