#include <fmt/format.h>

#include <algorithm>

#include "compiler/tensor/launches/join_launches.h"
#include "compiler/tensor/passes.h"

namespace tensor {
namespace {

class KernelProgramVerifier {
 public:
  explicit KernelProgramVerifier(const KernelProgram& kernel_program) : kernel_program_(kernel_program) {
    for (const Buffer& buffer : kernel_program.buffers) {
      // A part has no memory of its own: its parent's kind counts.
      const bool made_here =
          buffer.kind == Buffer::Kind::scratch || buffer.kind == Buffer::Kind::output ||
          (buffer.kind == Buffer::Kind::part && !written_[static_cast<size_t>(buffer.parent)]);
      written_.push_back(!made_here);
    }
  }

  std::optional<std::string> run() {
    for (const Instruction& instruction : kernel_program_.instructions) {
      if (auto wrong = std::visit([&](const auto& specific) { return check(specific); }, instruction))
        return kernel_program_.name + ": " + *wrong;
    }
    return {};
  }

 private:
  using Wrong = std::optional<std::string>;

  Wrong read(int buffer, const std::string& reader) const {
    if (buffer < 0 || static_cast<size_t>(buffer) >= written_.size()) return reader + ": no such buffer";
    if (written_[static_cast<size_t>(buffer)]) return {};
    return fmt::format("{} reads @{} {} before it is written", reader, buffer,
                       kernel_program_.buffers[static_cast<size_t>(buffer)].name);
  }
  void write(int buffer) { written_[static_cast<size_t>(buffer)] = true; }

  const BatchClass& batch(const Extent& rows) const {
    return kernel_program_.batches[static_cast<size_t>(rows.batch)];
  }

  Wrong bounds(const Loop& loop, const Access& access) const {
    if (access.buffer < 0 || static_cast<size_t>(access.buffer) >= kernel_program_.buffers.size())
      return "no such buffer";
    if (access.strides.size() != loop.space.size()) return "not one stride for each axis";
    const Buffer& buffer = kernel_program_.buffers[static_cast<size_t>(access.buffer)];
    int64_t low = access.offset, high = access.offset, limit = row_elements(buffer.extents);
    for (size_t axis = 0; axis < loop.space.size(); ++axis) {
      if (loop.space[axis].batch >= 0) {
        if (access.strides[axis] == 0) continue;
        // A step along the rows must skip one whole row of the buffer, or several if the buffer repeats rows.
        if (!has_rows(buffer.extents)) return "a stride along the rows of what has none";
        const BatchClass &moved = batch(loop.space[axis]), &held = batch(buffer.extents[0]);
        if (moved.source != held.source ||
            access.strides[axis] * moved.times != row_elements(buffer.extents) * held.times)
          return "a stride along the rows that is no row";
        limit = access.strides[axis];
        continue;
      }
      (access.strides[axis] < 0 ? low : high) += access.strides[axis] * (loop.space[axis].size - 1);
    }
    if (low < 0 || high >= limit) return fmt::format("reaches outside @{} {}", access.buffer, buffer.name);
    return {};
  }

  Wrong check(const Loop& loop) {
    auto wrong = [&](const std::string& what) { return fmt::format("loop {}: {}", loop.name, what); };
    for (const Access& load : loop.loads) {
      if (auto reason = bounds(loop, load)) return wrong(*reason);
      if (auto reason = read(load.buffer, loop.name)) return reason;
      if (std::ranges::count(loop.stores, load.buffer, [](const Store& s) { return s.access.buffer; }) > 0)
        return wrong(fmt::format("reads @{}, which it writes", load.buffer));
    }
    for (const Store& store : loop.stores) {
      if (auto reason = bounds(loop, store.access)) return wrong(*reason);
      const auto kept = static_cast<size_t>(loop.kept);
      for (size_t axis = kept; store.combine != Combine::none && axis < loop.space.size(); ++axis) {
        if (store.access.strides[axis] != 0) return wrong("a combined store moves along a reduced axis");
      }
      write(store.access.buffer);
    }
    bool draws = false;
    for (size_t i = 0; i < loop.body.size(); ++i) {
      for (int input : loop.body[i].inputs) {
        if (input >= static_cast<int>(i)) return wrong("a scalar is read before it is made");
      }
      draws = draws || (loop.body[i].kind == Scalar::Kind::operation &&
                        semantics::info(loop.body[i].op).group == semantics::OpGroup::random);
    }
    if (draws && static_cast<size_t>(loop.kept) != loop.space.size())
      return wrong("draws beside a reduction");
    return {};
  }
  Wrong check_call(const std::string& name, int a, int b, int c) {
    if (auto reason = read(a, name)) return reason;
    if (auto reason = read(b, name)) return reason;
    write(c);
    return {};
  }
  Wrong check(const Gemm& gemm) { return check_call(gemm.name, gemm.a, gemm.b, gemm.c); }
  Wrong check(const Convolution& conv) { return check_call(conv.name, conv.a, conv.b, conv.c); }
  Wrong check(const Gather& gather) {
    write(gather.buffer);
    return {};
  }
  Wrong check(const SumRanks& sum) {
    if (auto reason = read(sum.from, "sum_ranks")) return reason;
    write(sum.to);
    return {};
  }
  /// Every part of the gradient must be written before the update.
  Wrong check(const Update& update) {
    for (size_t b = 0; b < kernel_program_.buffers.size(); ++b) {
      if (kernel_program_.buffers[b].kind != Buffer::Kind::part ||
          kernel_program_.buffers[b].parent != update.gradient)
        continue;
      if (auto reason = read(static_cast<int>(b), "update")) return reason;
    }
    return {};
  }

  const KernelProgram& kernel_program_;
  std::vector<bool> written_;
};

}  // namespace

std::optional<std::string> verify(const KernelProgram& kernel_program) {
  if (auto wrong = KernelProgramVerifier(kernel_program).run()) return wrong;
  if (const auto wrong = verify_plan(kernel_program)) return kernel_program.name + ": " + *wrong;
  return {};
}

}  // namespace tensor
