// The exponential moving average of all parameters over the steps of a run. After t steps it is the mean of
// the parameters after each, whose weights fall by `decay` from a step to the one before: the sum over i <= t
// of decay^(t-i) (1 - decay) parameters_i, over 1 - decay^t. So step t moves it towards the parameters by the
// share (1 - decay) / (1 - decay^t). What the run began from is in it only before the first step.
#pragma once
#include <vector>

#include "runtime/core/parameters.h"

namespace core {

class Average {
 public:
  /// Begins as the players' parameters. Kept in `parameters` beside them if programs read it.
  Average(const Image& image, const Parameters& parameters, double decay);

  /// Anew from the parameters as they are, before a first step.
  void begin();
  /// After a step.
  void add();
  /// Of the step `ahead` steps after the next.
  double share(int64_t ahead = 0) const;
  float* of(int player) const { return averages_[static_cast<size_t>(player)]; }
  int64_t steps = 0;  // of it

 private:
  const Image& image_;
  const Parameters& parameters_;
  double decay_;
  std::vector<float*> averages_;  // per player
  std::vector<Floats> own_;       // unless programs read them
};

}  // namespace core
