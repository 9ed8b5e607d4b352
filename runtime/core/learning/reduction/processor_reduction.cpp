#include "runtime/core/learning/reduction/processor_reduction.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "runtime/core/ranks/ranks.h"

namespace core {
namespace {

// Smaller pieces cost more in latency than they gain by being sent early.
constexpr int64_t bucket = 1 << 18;  // floats: 1 MiB
// Parameters begin at multiples of this many floats; what lies between them is 0.
constexpr int64_t alignment = 16;
constexpr int64_t flags = 2;

}  // namespace

void ProcessorReduction::send(OfPlayer& player, float* gradient, Range range) {
  if (range.begin == range.end) return;
  player.running.push_back(ranks_.begin_sum(gradient + range.begin, range.end - range.begin));
  player.sent.push_back(range);
  bytes_ += static_cast<double>(range.end - range.begin) * sizeof(float);
}

/// The backward pass reaches the parameters from last to first, so the parts mostly join.
void ProcessorReduction::add(int player, float* gradient, int64_t begin, int64_t end) {
  OfPlayer& known = players_[player];
  Range& ready = known.ready;
  if (ready.begin == ready.end) {
    ready = {begin, end};
  } else if (end <= ready.begin && ready.begin - end < alignment) {
    ready.begin = begin;
  } else if (begin >= ready.end && begin - ready.end < alignment) {
    ready.end = end;
  } else {
    // The smaller one waits for finish().
    if (end - begin > ready.end - ready.begin) ready = {begin, end};
  }
  if (ready.end - ready.begin < bucket) return;
  send(known, gradient, ready);
  ready = {0, 0};
}

bool ProcessorReduction::finish(int player, float* gradient, int64_t elements, bool not_finite) {
  OfPlayer& known = players_[player];
  const auto begun = std::chrono::steady_clock::now();
  std::vector<Range> sent = std::exchange(known.sent, {});
  known.ready = {0, 0};
  std::ranges::sort(sent, {}, &Range::begin);
  std::vector<Range> left;
  int64_t end = 0;
  for (const Range& range : sent) {
    if (range.begin > end) left.push_back({end, range.begin});
    end = range.end;
  }
  if (end < elements) left.push_back({end, elements});
  staged_.clear();
  for (const Range& range : left) {
    if (range.end - range.begin >= bucket)
      send(known, gradient, range);
    else
      staged_.insert(staged_.end(), gradient + range.begin, gradient + range.end);
  }
  known.sent.clear();
  staged_.push_back(not_finite ? 1.0F : 0.0F);
  staged_.push_back(stop_asked_() ? 1.0F : 0.0F);
  known.running.push_back(ranks_.begin_sum(staged_.data(), static_cast<int64_t>(staged_.size())));
  bytes_ += static_cast<double>(staged_.size()) * sizeof(float);
  for (void* sum : std::exchange(known.running, {})) ranks_.await(sum);
  const float* from = staged_.data();
  for (const Range& range : left) {
    if (range.end - range.begin >= bucket) continue;
    std::copy_n(from, range.end - range.begin, gradient + range.begin);
    from += range.end - range.begin;
  }
  waiting_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  const float* said = staged_.data() + staged_.size() - flags;
  stop_is_agreed_ = stop_is_agreed_ || said[1] > 0;
  return said[0] > 0;
}

}  // namespace core
