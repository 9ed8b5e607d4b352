// The exponential moving average of all parameters over the steps of a run. After t steps it is a weighted
// mean of the parameters after each step: the sum over i <= t of decay^(t-i) (1 - decay) parameters_i, over 1
// - decay^t. So step t moves the average towards the parameters by the share (1 - decay) / (1 - decay^t). The
// parameters from which the run began count only before the first step.
#pragma once
#include <vector>

#include "runtime/core/execution/parameters.h"

namespace core {

class Average {
 public:
  /// Begins as the players' parameters. If programs read the average, it is kept in `parameters` beside them.
  Average(const Image& image, const Parameters& parameters, double decay);

  /// Begins again from the present parameters, before a first step.
  void begin();
  /// Called after a step.
  void add();
  /// The share by which the step `ahead` steps after the next one moves the average.
  double share(int64_t ahead = 0) const;
  float* of(int player) const { return averages_[static_cast<size_t>(player)]; }
  int64_t steps = 0;  // how many steps it has averaged

 private:
  const Image& image_;
  const Parameters& parameters_;
  double decay_;
  std::vector<float*> averages_;  // per player
  std::vector<Floats> own_;       // only if no program reads the average
};

}  // namespace core
