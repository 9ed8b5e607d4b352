// The sums over all ranks between the gradients and the updates of a step. A part of a gradient is sent as
// soon as enough of it is final, while the rest is still computed. In: the hooks of an executor. Out:
// gradients of the whole batch, with the same bits on all ranks, and what the ranks say about the step.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

namespace core {

class Ranks;

class Reduction {
 public:
  explicit Reduction(Ranks& ranks) : ranks_(ranks) {}

  /// From now on, the ranks are told with each step whether this one was asked to stop.
  void set_stop(std::function<bool()> asked) { stop_asked_ = std::move(asked); }
  /// Whether any rank had been asked to stop when the last step was made: all ranks know the same.
  bool stop_is_agreed() const { return stop_is_agreed_; }
  void begin_step() { stop_is_agreed_ = false; }

  /// Elements [begin, end) of the player's gradient are final.
  void add(int player, float* gradient, int64_t begin, int64_t end);
  /// Waits until all `elements` of the player's gradient are summed. `not_finite`: whether a term of this
  /// rank is not finite. Returns whether one of any rank is.
  bool finish(int player, float* gradient, int64_t elements, bool not_finite);

  /// Seconds in which this rank waited for sums, since the last call.
  double take_waiting();
  /// How many bytes of gradients were summed, since the last call.
  double take_bytes();

 private:
  struct Range {
    int64_t begin, end;
  };
  struct OfPlayer {
    Range ready = {0, 0};        // final, and not yet sent
    std::vector<Range> sent;     // ascending
    std::vector<void*> running;  // in the order in which they began
  };
  void send(OfPlayer& player, float* gradient, Range range);

  Ranks& ranks_;
  std::function<bool()> stop_asked_ = [] { return false; };
  bool stop_is_agreed_ = false;
  std::map<int, OfPlayer> players_;
  std::vector<float> staged_;  // small pieces and flags, sent together
  double waiting_ = 0, bytes_ = 0;
};

}  // namespace core
