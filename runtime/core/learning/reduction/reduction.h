// What the ranks of a run add up in each step, and what they tell one another with it. In: the gradients of
// each rank's rows. Out: those of the whole batch, with the same bits on all ranks. There is one
// implementation for processors (processor_reduction.h) and one for GPUs (device_reduction.h).
#pragma once
#include <functional>
#include <utility>

namespace core {

class Ranks;

class Reduction {
 public:
  explicit Reduction(Ranks& ranks) : ranks_(ranks) {}
  Reduction(const Reduction&) = delete;

  /// From now on, the ranks are told whether this one was asked to stop.
  void set_stop(std::function<bool()> asked) { stop_asked_ = std::move(asked); }
  /// Whether all ranks stop after the last step, because one of them was asked to: all ranks know the same.
  bool stop_is_agreed() const { return stop_is_agreed_; }

  /// Seconds in which this rank waited for sums, since the last call. Only processors measure it.
  double take_waiting() { return std::exchange(waiting_, 0.0); }
  /// How many bytes of gradients were summed, since the last call. Only processors count them.
  double take_bytes() { return std::exchange(bytes_, 0.0); }

 protected:
  ~Reduction() = default;

  Ranks& ranks_;
  std::function<bool()> stop_asked_ = [] { return false; };
  bool stop_is_agreed_ = false;
  double waiting_ = 0, bytes_ = 0;
};

}  // namespace core
