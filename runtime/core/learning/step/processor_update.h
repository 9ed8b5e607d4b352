// The updates of one player on the processor: writes the numbers of each update and runs its program.
#pragma once
#include <memory>

#include "runtime/core/learning/step/optimizer.h"
#include "runtime/core/learning/step/update_runner.h"

namespace core {

class ProcessorUpdate {
 public:
  /// `parameters` is the player's flat array. It, the optimizer and the state must outlive the update.
  ProcessorUpdate(const Image& image, const Machine& machine, const Optimizer& optimizer, float* parameters,
                  OptimizerState& state);

  /// One step along `gradient` (uphill). `rate` multiplies the learning rate. Does nothing if the player does
  /// not learn.
  void run(const float* gradient, double rate);

 private:
  const Optimizer& optimizer_;
  OptimizerState& state_;
  Floats numbers_;  // of the update that runs
  std::unique_ptr<UpdateRunner> runner_;
};

}  // namespace core
