#include "compiler/tensor/passes/canonicalise_loops.h"

#include <algorithm>

namespace tensor {
namespace {

template <class Predicate>
bool all_accesses(const Loop& loop, Predicate holds) {
  return std::ranges::all_of(loop.loads, holds) &&
         std::ranges::all_of(loop.stores, [&](const Store& store) { return holds(store.access); });
}

bool counts(const Loop& loop, int axis) {
  return std::ranges::any_of(
      loop.body, [&](const Scalar& s) { return s.kind == Scalar::Kind::iota && s.index == axis; });
}

void drop_axis(Loop& loop, int axis) {
  loop.space.erase(loop.space.begin() + axis);
  if (axis < loop.kept) --loop.kept;
  for_each_access(loop, [&](Access& access) { access.strides.erase(access.strides.begin() + axis); });
  for (Scalar& scalar : loop.body) {
    if (scalar.kind != Scalar::Kind::iota) continue;
    if (scalar.index == axis) {
      scalar.kind = Scalar::Kind::constant;
      scalar.number = 0;
    } else if (scalar.index > axis) {
      --scalar.index;
    }
  }
}

}  // namespace

bool joins(const Loop& loop, int axis) {
  if (axis + 1 == loop.kept || counts(loop, axis) || counts(loop, axis + 1)) return false;
  const Extent& inner = loop.space[static_cast<size_t>(axis) + 1];
  const auto at = static_cast<size_t>(axis);
  return all_accesses(loop, [&](const Access& access) {
    if (access.strides[at] == 0 && access.strides[at + 1] == 0) return true;
    return inner.batch < 0 && access.strides[at] == access.strides[at + 1] * inner.size;
  });
}

void canonicalise(Loop& loop) {
  for (int axis = static_cast<int>(loop.space.size()) - 1; axis >= 0; --axis) {
    const Extent& extent = loop.space[static_cast<size_t>(axis)];
    if (extent.batch < 0 && extent.size == 1) drop_axis(loop, axis);
  }
  for (int axis = static_cast<int>(loop.space.size()) - 2; axis >= 0; --axis) {
    const auto at = static_cast<size_t>(axis);
    if (loop.space[at].batch >= 0 || loop.space[at + 1].batch >= 0 || !joins(loop, axis)) continue;
    loop.space[at + 1].size *= loop.space[at].size;
    drop_axis(loop, axis);
  }
  // If no axis is reduced, there is nothing to combine: the value itself is stored.
  if (loop.kept == static_cast<int>(loop.space.size())) {
    for (Store& store : loop.stores) store.combine = Combine::none;
  }
}

KernelProgram canonicalise_loops(KernelProgram kernel_program) {
  for (Instruction& instruction : kernel_program.instructions)
    if (auto* loop = std::get_if<Loop>(&instruction)) canonicalise(*loop);
  return kernel_program;
}

}  // namespace tensor
