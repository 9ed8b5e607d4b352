// The sums over all ranks in the steps of GPUs, by NCCL. They are enqueued between the gradients and the
// updates, so a recorded step includes them. The ranks agree on stopping over their transport, a few times a
// second. In: the GPU of this rank, which it connects with those of the others.
#pragma once
#include <chrono>
#include <cstdint>

#include "runtime/core/learning/reduction/reduction.h"

namespace core {

class Device;

class DeviceReduction : public Reduction {
 public:
  /// Waits for all ranks. Failure(bad_configuration) if NCCL cannot connect the GPUs.
  DeviceReduction(Ranks& ranks, Device& device);
  /// No GPU may be asked for sums any more if this rank is lost.
  ~DeviceReduction();

  /// Enqueues: the values become their sums over all ranks.
  void sum(float* values, int64_t count);
  /// Called after each step has been enqueued. Waits until few steps are left.
  void end_step();

 private:
  void agree_on_stop();

  Device& device_;
  // The next agreement is after this many steps.
  int64_t steps_left_ = 1, interval_ = 1;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();  // after the last one
};

}  // namespace core
