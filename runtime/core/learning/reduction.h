// The sums over all ranks between the gradients and the updates of a step. A part of a gradient is sent as
// soon as enough of it is final, while the rest is still computed. In: the hooks of an executor. Out:
// gradients of the whole batch, with the same bits on all ranks, and what the ranks say about the step.
#pragma once
#include <cstdint>
#include <map>
#include <vector>

namespace core {

class Ranks;

/// What a rank says with a gradient; any rank's word holds for all of them.
struct StepFlags {
  bool not_finite = false, stop = false;
};

class Reduction {
 public:
  explicit Reduction(Ranks& ranks) : ranks_(ranks) {}

  /// Elements [begin, end) of the player's gradient are final.
  void add(int player, float* gradient, int64_t begin, int64_t end);
  /// Waits until all `elements` of the player's gradient are summed. Returns the flags of all ranks.
  StepFlags finish(int player, float* gradient, int64_t elements, StepFlags own);

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
  std::map<int, OfPlayer> players_;
  std::vector<float> staged_;  // small pieces and flags, sent together
  double waiting_ = 0, bytes_ = 0;
};

}  // namespace core
