// Why a term is not finite. In: a phase that runs again, on a CPU, with the parameters under which it went
// wrong. Out: the first draw that is not finite.
#pragma once
#include <optional>
#include <string>

#include "runtime/core/executor.h"

namespace core {

/// A draw is a buffer named `draw player.variable` (image.md), or an output named as its variable.
class DrawWatch : public Watch {
 public:
  explicit DrawWatch(const Image& image) : image_(image) {}
  void saw(const Executor& program, size_t instruction, Time begin, Time end) override;
  /// "player.variable", or "variable".
  const std::optional<std::string>& found() const { return found_; }
  bool is_nan() const { return nan_; }

 private:
  std::string drawn_by(const Buffer& buffer) const;
  const Image& image_;
  std::optional<std::string> found_;
  bool nan_ = false;
};

/// "not a number" or "infinite".
const char* name_of_not_finite(float value);

}  // namespace core
