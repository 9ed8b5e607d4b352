// Finds out why a term is not finite. In: the phase that went wrong, which runs again on a CPU with the same
// parameters. Out: the first draw that is not finite.
#pragma once
#include <optional>
#include <string>

#include "runtime/core/execution/executor.h"

namespace core {

/// Looks for draws: buffers named `draw player.variable` (image.md), and outputs named after their variable.
class DrawWatch : public Watch {
 public:
  explicit DrawWatch(const Image& image) : image_(image) {}
  void saw(const Executor& program, size_t instruction, Time begin, Time end) override;
  /// "player.variable" or "variable": the first draw that is not finite.
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
