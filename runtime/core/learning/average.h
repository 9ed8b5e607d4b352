// The exponential moving average of all parameters over the steps of a run. After t steps it is the mean of
// the parameters after each, whose weights fall by `decay` from a step to the one before: the sum over i <= t
// of decay^(t-i) (1 - decay) parameters_i, over 1 - decay^t. It does not contain what the run began from.
#pragma once
#include <filesystem>
#include <vector>

#include "runtime/core/parameters.h"

namespace core {

class Average {
 public:
  Average(const Image& image, double decay);

  /// After a step.
  void add(const Parameters& parameters);
  /// The sum above before its division, as each player's parameters.
  float* sum_of(int player) const { return sums_[static_cast<size_t>(player)].data(); }
  /// A player's average.
  Floats of(int player) const;
  double decay() const { return decay_; }
  int64_t steps = 0;  // of it

 private:
  double decay_;
  std::vector<Floats> sums_;  // per player
};

/// The file of a checkpoint that commands use: the averages where it has them, unless `weights` is "last".
std::filesystem::path weights_file(const std::filesystem::path& checkpoint, const std::string& weights);

}  // namespace core
