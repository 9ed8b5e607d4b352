#include "compiler/tensor/launches/dependences.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

namespace tensor {
namespace {

constexpr int64_t unknown_end = std::numeric_limits<int64_t>::max();

class Toucher {
 public:
  explicit Toucher(const KernelProgram& program) : program_(program) {
    using Kind = Buffer::Kind;
    std::map<std::pair<Kind, int>, int> by_index;
    std::map<std::string, int> by_name;
    for (size_t b = 0; b < program.buffers.size(); ++b) {
      const Buffer& buffer = program.buffers[b];
      const int own = static_cast<int>(b);
      if (buffer.kind == Kind::parameters || buffer.kind == Kind::coefficients)
        memory_.push_back(by_index.try_emplace({buffer.kind, buffer.index}, own).first->second);
      else if (buffer.kind == Kind::input || buffer.kind == Kind::output)
        memory_.push_back(by_name.try_emplace(buffer.name, own).first->second);
      else
        memory_.push_back(own);
    }
  }

  std::vector<Touch> of(const Instruction& instruction) {
    touches_.clear();
    std::visit([&](const auto& specific) { touch(specific); }, instruction);
    return std::move(touches_);
  }

 private:
  struct Whole {
    int memory;
    int64_t offset;
    bool depends_on_rows;
  };
  /// The memory that a buffer is in, and where it begins there.
  Whole whole(int index) const {
    const Buffer* buffer = &program_.buffers[static_cast<size_t>(index)];
    int64_t offset = 0;
    bool depends = has_rows(*buffer);
    while (buffer->kind == Buffer::Kind::part) {
      offset += buffer->offset;
      index = buffer->parent;
      buffer = &program_.buffers[static_cast<size_t>(index)];
      depends = depends || has_rows(*buffer);
    }
    return {memory_[static_cast<size_t>(index)], offset, depends};
  }
  static bool has_rows(const Buffer& buffer) {
    return std::ranges::any_of(buffer.extents, [](const Extent& extent) { return extent.batch >= 0; });
  }

  void add(int buffer, int64_t begin, int64_t end, bool writes) {
    const Whole place = whole(buffer);
    if (place.depends_on_rows)
      touches_.push_back({place.memory, 0, unknown_end, writes});
    else
      touches_.push_back({place.memory, place.offset + begin, place.offset + end, writes});
  }
  void add_all(int buffer, bool writes) {
    int64_t elements = 1;
    for (const Extent& extent : program_.buffers[static_cast<size_t>(buffer)].extents)
      elements *= extent.size;
    add(buffer, 0, elements, writes);
  }
  void add(const Loop& loop, const Access& access, bool writes) {
    int64_t begin = access.offset, end = access.offset + 1;
    for (size_t axis = 0; axis < loop.space.size(); ++axis) {
      const int64_t stride = access.strides[axis];
      if (stride == 0) continue;
      if (loop.space[axis].batch >= 0) return add(access.buffer, 0, unknown_end / 2, writes);
      (stride < 0 ? begin : end) += stride * (loop.space[axis].size - 1);
    }
    add(access.buffer, begin, end, writes);
  }

  void touch(const Loop& loop) {
    for (const Access& load : loop.loads) add(loop, load, false);
    for (const Store& store : loop.stores) add(loop, store.access, true);
  }
  void touch(const Gemm& gemm) { touch_call(gemm.a, gemm.b, gemm.c); }
  void touch(const Convolution& convolution) { touch_call(convolution.a, convolution.b, convolution.c); }
  void touch_call(int a, int b, int c) {
    add_all(a, false);
    add_all(b, false);
    add_all(c, true);
  }
  void touch(const Gather& gather) { add_all(gather.buffer, true); }
  void touch(const SumRanks& sum) {
    add_all(sum.from, false);
    add_all(sum.to, true);
  }
  /// Several ranks also change the gradient, to its sum.
  void touch(const Update& update) {
    add_all(update.gradient, true);
    for (size_t b = 0; b < program_.buffers.size(); ++b) {
      const Buffer& buffer = program_.buffers[b];
      if (buffer.kind == Buffer::Kind::parameters && buffer.index == update.player)
        add_all(static_cast<int>(b), true);
    }
  }

  const KernelProgram& program_;
  std::vector<int> memory_;  // by buffer that is not a part
  std::vector<Touch> touches_;
};

}  // namespace

std::vector<std::vector<Touch>> touches_of(const KernelProgram& program) {
  Toucher toucher(program);
  std::vector<std::vector<Touch>> touches;
  for (const Instruction& instruction : program.instructions) touches.push_back(toucher.of(instruction));
  return touches;
}

std::vector<std::vector<int>> dependences_of(const std::vector<std::vector<Touch>>& touches) {
  struct Past {
    std::vector<std::pair<Touch, int>> reads, writes;
  };
  std::map<int, Past> past;  // by memory
  std::vector<std::vector<int>> dependences;
  for (size_t i = 0; i < touches.size(); ++i) {
    std::set<int> before;
    const auto find = [&](const std::vector<std::pair<Touch, int>>& earlier, const Touch& touch) {
      for (const auto& [other, instruction] : earlier)
        if (touch.conflicts(other)) before.insert(instruction);
    };
    for (const Touch& touch : touches[i]) {
      const Past& known = past[touch.memory];
      find(known.writes, touch);
      if (touch.writes) find(known.reads, touch);
    }
    for (const Touch& touch : touches[i]) {
      Past& known = past[touch.memory];
      (touch.writes ? known.writes : known.reads).emplace_back(touch, static_cast<int>(i));
    }
    dependences.emplace_back(before.begin(), before.end());
  }
  return dependences;
}

}  // namespace tensor
