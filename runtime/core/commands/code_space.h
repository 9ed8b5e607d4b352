// The codes from which a model's pictures are drawn: a variable that the decoder reads, the codes of rows of
// data, and what the decoder gives for codes.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "runtime/core/inference/sampler.h"

namespace core {

class CodeSpace {
 public:
  /// `code`: the name of the code. If empty: the first variable that a decoder reads and no source observes,
  /// or else the first that it reads. Failure(usage) if `code` names no code, bad_configuration if the model
  /// has no codes.
  CodeSpace(const Image& image, Sampler& sampler, const std::string& code);

  int code() const { return code_; }
  const Variable& variable() const { return image_.variables[static_cast<size_t>(code_)]; }
  /// The variable that is shown: the decoder draws it from the codes.
  int shown() const { return shown_; }

  /// The source of this name. Without a name: the first evaluated source from whose rows the codes can be
  /// drawn. Failure(usage) if there is no source of this name, bad_configuration if nothing gives codes.
  int find_source(const std::string& name);
  /// Failure(usage) if the source does not have row `row`.
  void check_row(int source, int64_t row) const;
  /// The source's rows from `first` on, and the variables that the decoder reads. These are drawn; if `means`
  /// is set, continuous ones are means instead.
  Values encode(int source, int64_t first, int64_t rows, bool means);
  /// Draws the variables that the decoder reads, as the model generates them.
  Values draw(int64_t rows);
  /// The means of the shown variable.
  std::vector<float> decode(const Values& codes, int64_t rows);
  /// Leaves only the values that the decoder reads.
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

/// Whether codes of the variable can be interpolated: numbers, not classes, bits or counts.
bool is_continuous(const Variable& variable);

}  // namespace core
