#include "compiler/tensor/passes/plan_memory.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace tensor {
namespace {

class SlotPlanner {
 public:
  using Moments = std::vector<std::vector<int>>;

  SlotPlanner(const KernelProgram& kernel_program, const Moments& moments)
      : kernel_program_(kernel_program), moments_(moments), lives_(kernel_program_.buffers.size()) {
    plan_.slot_of.assign(kernel_program_.buffers.size(), -1);
  }

  ScratchPlan run() {
    for (size_t at = 0; at < moments_.size(); ++at)
      for (const int instruction : moments_[at])
        for_each_root(instruction, [&](int buffer) { touch(buffer, static_cast<int>(at)); });
    std::vector<int> by_birth;
    for (size_t b = 0; b < kernel_program_.buffers.size(); ++b) {
      if (kernel_program_.buffers[b].kind == Buffer::Kind::scratch && lives_[b].first >= 0)
        by_birth.push_back(static_cast<int>(b));
    }
    std::ranges::stable_sort(by_birth, {}, [&](int b) { return lives_[static_cast<size_t>(b)].first; });
    for (int buffer : by_birth) place(buffer);
    return std::move(plan_);
  }

 private:
  int root(int buffer) const {
    while (kernel_program_.buffers[static_cast<size_t>(buffer)].kind == Buffer::Kind::part)
      buffer = kernel_program_.buffers[static_cast<size_t>(buffer)].parent;
    return buffer;
  }
  void touch(int buffer, int at) {
    Life& life = lives_[static_cast<size_t>(buffer)];
    if (life.first < 0) life.first = at;
    life.last = at;
  }
  /// Calls visit(buffer) for each buffer that the instruction uses; instead of a part, for its whole.
  template <class Visit>
  void for_each_root(int at, const Visit& visit) const {
    const Instruction& instruction = kernel_program_.instructions[static_cast<size_t>(at)];
    const auto use = [&](int buffer) { visit(root(buffer)); };
    if (const auto* loop = std::get_if<Loop>(&instruction)) {
      for (const Access& load : loop->loads) use(load.buffer);
      for (const Store& store : loop->stores) use(store.access.buffer);
    } else if (const auto* gemm = std::get_if<Gemm>(&instruction)) {
      for (int buffer : {gemm->a, gemm->b, gemm->c}) use(buffer);
    } else if (const auto* conv = std::get_if<Convolution>(&instruction)) {
      for (int buffer : {conv->a, conv->b, conv->c}) use(buffer);
    } else if (const auto* gather = std::get_if<Gather>(&instruction)) {
      use(gather->buffer);
    } else if (const auto* sum = std::get_if<SumRanks>(&instruction)) {
      for (int buffer : {sum->from, sum->to}) use(buffer);
    } else {
      use(std::get<Update>(instruction).gradient);
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

  /// The loop that alone uses the two buffers at a moment; null if there is none.
  const Loop* only_user(int held, int buffer, int moment) const {
    const Loop* found = nullptr;
    for (const int instruction : moments_[static_cast<size_t>(moment)]) {
      bool uses = false;
      for_each_root(instruction, [&](int used) { uses = uses || used == held || used == buffer; });
      if (!uses) continue;
      if (found != nullptr) return nullptr;
      found = std::get_if<Loop>(&kernel_program_.instructions[static_cast<size_t>(instruction)]);
      if (found == nullptr) return nullptr;
    }
    return found;
  }

  /// May a loop at this moment write `buffer` into the memory of `held`? The moment is the last that uses
  /// `held`.
  bool in_place(int held, int buffer, int moment) const {
    const Loop* loop = only_user(held, buffer, moment);
    if (loop == nullptr || size_of(kernel_program_.buffers[static_cast<size_t>(held)]) !=
                               size_of(kernel_program_.buffers[static_cast<size_t>(buffer)]))
      return false;
    std::optional<Access> written;
    for (const Store& store : loop->stores) {
      // If the loop already writes another result over `held`, both results would have to be checked
      // together: refuse.
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
    // If the store has stride 0 along an axis, the loop writes an element and then reads it again: refuse.
    for (size_t axis = 0; axis < loop->space.size(); ++axis) {
      if (written->strides[axis] == 0 && loop->space[axis] != Extent{1, -1}) return false;
    }
    return read;
  }

  void place(int buffer) {
    const Life& life = lives_[static_cast<size_t>(buffer)];
    std::set<size_t>& ending = ending_at_[life.first];
    const auto found = std::ranges::find_if(
        ending, [&](size_t held) { return in_place(holders_[held], buffer, life.first); });
    const size_t slot = found != ending.end() ? *found : holders_.size();
    if (found != ending.end()) {
      ending.erase(found);
    } else {
      holders_.push_back(buffer);
      plan_.slots.push_back(life);
    }
    holders_[slot] = buffer;
    plan_.slots[slot].last = life.last;
    ending_at_[life.last].insert(slot);
    plan_.slot_of[static_cast<size_t>(buffer)] = static_cast<int>(slot);
  }

  const KernelProgram& kernel_program_;
  const Moments& moments_;
  ScratchPlan plan_;
  std::vector<Life> lives_;                    // by buffer that is not a part, in moments
  std::vector<int> holders_;                   // by slot: the last buffer in it
  std::map<int, std::set<size_t>> ending_at_;  // slots, keyed by the last instruction that uses them
};

}  // namespace

ScratchPlan plan_scratch(const KernelProgram& kernel_program, const std::vector<std::vector<int>>& moments) {
  return SlotPlanner(kernel_program, moments).run();
}

KernelProgram plan_memory(KernelProgram kernel_program) {
  std::vector<std::vector<int>> moments;
  for (size_t at = 0; at < kernel_program.instructions.size(); ++at)
    moments.push_back({static_cast<int>(at)});
  ScratchPlan plan = plan_scratch(kernel_program, moments);
  for (size_t b = 0; b < kernel_program.buffers.size(); ++b)
    if (plan.slot_of[b] >= 0) kernel_program.buffers[b].slot = plan.slot_of[b];
  kernel_program.slots = std::move(plan.slots);
  return kernel_program;
}

}  // namespace tensor
