// The sums over all ranks between the gradients and the updates of a step on processors. A part of a gradient
// is sent as soon as enough of it is final, while the rest is still computed. In: the hooks of an executor.
// Out: the sums, and what the ranks say about the step.
#pragma once
#include <cstdint>
#include <map>
#include <vector>

#include "runtime/core/learning/reduction/reduction.h"

namespace core {

class ProcessorReduction : public Reduction {
 public:
  using Reduction::Reduction;

  void begin_step() { stop_is_agreed_ = false; }

  /// Elements [begin, end) of the player's gradient are final.
  void add(int player, float* gradient, int64_t begin, int64_t end);
  /// Waits until all `elements` of the player's gradient are summed. `not_finite`: whether a term of this
  /// rank is not finite. Returns whether one of any rank is.
  bool finish(int player, float* gradient, int64_t elements, bool not_finite);

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

  std::map<int, OfPlayer> players_;
  std::vector<float> staged_;  // small pieces and flags, sent together
};

}  // namespace core
