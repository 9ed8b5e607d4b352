#include "compiler/tensor/passes/plan_memory.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace tensor {
namespace {

class Planner {
 public:
  explicit Planner(KernelProgram kernel_program)
      : kernel_program_(std::move(kernel_program)), lives_(kernel_program_.buffers.size()) {}

  KernelProgram run() {
    for (size_t at = 0; at < kernel_program_.instructions.size(); ++at) touch_all(static_cast<int>(at));
    std::vector<int> by_birth;
    for (size_t b = 0; b < kernel_program_.buffers.size(); ++b) {
      if (kernel_program_.buffers[b].kind == Buffer::Kind::scratch && lives_[b].first >= 0)
        by_birth.push_back(static_cast<int>(b));
    }
    std::ranges::stable_sort(by_birth, {}, [&](int b) { return lives_[static_cast<size_t>(b)].first; });
    for (int buffer : by_birth) place(buffer);
    return std::move(kernel_program_);
  }

 private:
  int root(int buffer) const {
    while (kernel_program_.buffers[static_cast<size_t>(buffer)].kind == Buffer::Kind::part)
      buffer = kernel_program_.buffers[static_cast<size_t>(buffer)].parent;
    return buffer;
  }
  void touch(int buffer, int at) {
    Life& life = lives_[static_cast<size_t>(root(buffer))];
    if (life.first < 0) life.first = at;
    life.last = at;
  }
  void touch_all(int at) {
    const Instruction& instruction = kernel_program_.instructions[static_cast<size_t>(at)];
    if (const auto* loop = std::get_if<Loop>(&instruction)) {
      for (const Access& load : loop->loads) touch(load.buffer, at);
      for (const Store& store : loop->stores) touch(store.access.buffer, at);
    } else if (const auto* gemm = std::get_if<Gemm>(&instruction)) {
      for (int buffer : {gemm->a, gemm->b, gemm->c}) touch(buffer, at);
    } else if (const auto* conv = std::get_if<Convolution>(&instruction)) {
      for (int buffer : {conv->a, conv->b, conv->c}) touch(buffer, at);
    } else if (const auto* gather = std::get_if<Gather>(&instruction)) {
      touch(gather->buffer, at);
    } else if (const auto* sum = std::get_if<SumRanks>(&instruction)) {
      for (int buffer : {sum->from, sum->to}) touch(buffer, at);
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

  /// May the loop at `at` write `buffer` into the memory of `held`? The loop is the last reader of `held`.
  bool in_place(int held, int buffer, int at) const {
    const auto* loop = std::get_if<Loop>(&kernel_program_.instructions[static_cast<size_t>(at)]);
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
    Buffer& placed = kernel_program_.buffers[static_cast<size_t>(buffer)];
    const Life& life = lives_[static_cast<size_t>(buffer)];
    std::set<size_t>& ending = ending_at_[life.first];
    const auto found = std::ranges::find_if(
        ending, [&](size_t held) { return in_place(holders_[held], buffer, life.first); });
    const size_t slot = found != ending.end() ? *found : holders_.size();
    if (found != ending.end()) {
      ending.erase(found);
    } else {
      holders_.push_back(buffer);
      kernel_program_.slots.push_back(life);
    }
    holders_[slot] = buffer;
    kernel_program_.slots[slot].last = life.last;
    ending_at_[life.last].insert(slot);
    placed.slot = static_cast<int>(slot);
  }

  KernelProgram kernel_program_;
  std::vector<Life> lives_;
  std::vector<int> holders_;                   // by slot: the last buffer in it
  std::map<int, std::set<size_t>> ending_at_;  // slots, keyed by the last instruction that uses them
};

}  // namespace

KernelProgram plan_memory(KernelProgram kernel_program) { return Planner(std::move(kernel_program)).run(); }

}  // namespace tensor
