#include "compiler/tensor/passes/plan_memory.h"

#include <algorithm>
#include <optional>

namespace tensor {
namespace {

struct Life {
  int first = -1, last = -1;  // instructions
};

class Planner {
 public:
  explicit Planner(Schedule schedule) : schedule_(std::move(schedule)), lives_(schedule_.buffers.size()) {}

  Schedule run() {
    for (size_t at = 0; at < schedule_.instructions.size(); ++at) touch_all(static_cast<int>(at));
    std::vector<int> by_birth;
    for (size_t b = 0; b < schedule_.buffers.size(); ++b) {
      if (schedule_.buffers[b].kind == Buffer::Kind::scratch && lives_[b].first >= 0)
        by_birth.push_back(static_cast<int>(b));
    }
    std::ranges::stable_sort(by_birth, {}, [&](int b) { return lives_[static_cast<size_t>(b)].first; });
    for (int buffer : by_birth) place(buffer);
    schedule_.slots = static_cast<int>(slots_.size());
    return std::move(schedule_);
  }

 private:
  struct Slot {
    int batch = -1;  // its size is elements, times the rows of this class
    int64_t elements = 0;
    int holder = -1;  // the buffer in it last
  };

  int root(int buffer) const {
    while (schedule_.buffers[static_cast<size_t>(buffer)].kind == Buffer::Kind::part)
      buffer = schedule_.buffers[static_cast<size_t>(buffer)].parent;
    return buffer;
  }
  void touch(int buffer, int at) {
    Life& life = lives_[static_cast<size_t>(root(buffer))];
    if (life.first < 0) life.first = at;
    life.last = at;
  }
  void touch_all(int at) {
    const Instruction& instruction = schedule_.instructions[static_cast<size_t>(at)];
    if (const auto* loop = std::get_if<Loop>(&instruction)) {
      for (const Access& load : loop->loads) touch(load.buffer, at);
      for (const Store& store : loop->stores) touch(store.access.buffer, at);
    } else if (const auto* gemm = std::get_if<Gemm>(&instruction)) {
      for (int buffer : {gemm->a, gemm->b, gemm->c}) touch(buffer, at);
    } else if (const auto* conv = std::get_if<Convolution>(&instruction)) {
      for (int buffer : {conv->a, conv->b, conv->c}) touch(buffer, at);
    } else if (const auto* gather = std::get_if<Gather>(&instruction)) {
      touch(gather->buffer, at);
    } else {
      touch(std::get<Update>(instruction).gradient, at);
    }
  }

  static std::pair<int, int64_t> size_of(const Buffer& buffer) {
    int batch = -1;
    int64_t elements = 1;
    for (const Extent& extent : buffer.extents) {
      if (extent.batch >= 0) {
        batch = extent.batch;
      } else {
        elements *= extent.size;
      }
    }
    return {batch, elements};
  }

  /// May the loop at `at` write `buffer` where `held`, which it reads last, lies?
  bool in_place(int held, int buffer, int at) const {
    const auto* loop = std::get_if<Loop>(&schedule_.instructions[static_cast<size_t>(at)]);
    if (loop == nullptr || size_of(schedule_.buffers[static_cast<size_t>(held)]) !=
                               size_of(schedule_.buffers[static_cast<size_t>(buffer)]))
      return false;
    std::optional<Access> written;
    for (const Store& store : loop->stores) {
      // Another result written over what is still to be read would need a look at both.
      if (root(store.access.buffer) == held) return false;
      if (root(store.access.buffer) != buffer) continue;
      if (written || store.combine != Combine::none) return false;
      written = store.access;
    }
    if (!written) return false;
    bool read = false;
    for (const Access& load : loop->loads) {
      if (root(load.buffer) != held) continue;
      if (load.offset != written->offset || load.strides != written->strides || load.buffer != held)
        return false;
      read = true;
    }
    // A store that stays in place along an axis would be read again after it is written.
    for (size_t axis = 0; axis < loop->space.size(); ++axis) {
      if (written->strides[axis] == 0 && loop->space[axis] != Extent{1, -1}) return false;
    }
    return read;
  }

  void place(int buffer) {
    Buffer& placed = schedule_.buffers[static_cast<size_t>(buffer)];
    const auto [batch, elements] = size_of(placed);
    const int birth = lives_[static_cast<size_t>(buffer)].first;
    int best = -1;
    int64_t best_cost = 0;
    for (size_t s = 0; s < slots_.size(); ++s) {
      const Slot& slot = slots_[s];
      if (slot.batch != batch) continue;
      const int last = lives_[static_cast<size_t>(slot.holder)].last;
      const bool here = last == birth && in_place(slot.holder, buffer, birth);
      if (last >= birth && !here) continue;
      // In place first (the line is in the cache), then the slot that fits best.
      const int64_t cost = here ? -1 : std::abs(slot.elements - elements);
      if (best < 0 || cost < best_cost) best = static_cast<int>(s), best_cost = cost;
    }
    if (best < 0) {
      best = static_cast<int>(slots_.size());
      slots_.push_back({batch, 0, -1});
    }
    Slot& slot = slots_[static_cast<size_t>(best)];
    slot.elements = std::max(slot.elements, elements);
    slot.holder = buffer;
    placed.slot = best;
  }

  Schedule schedule_;
  std::vector<Life> lives_;
  std::vector<Slot> slots_;
};

}  // namespace

Schedule plan_memory(Schedule schedule) { return Planner(std::move(schedule)).run(); }

}  // namespace tensor
