// Gives loops that do the same the same form. Drops axes of length 1, and joins neighbouring axes that one
// axis can walk. A loop that reduces no axis stores its value instead of combining it. After plan_memory: the
// places in memory stay, and equal loops can then share a kernel.
#pragma once
#include "compiler/tensor/kernel_program.h"

namespace tensor {
KernelProgram canonicalise_loops(KernelProgram kernel_program);

/// The same for one loop.
void canonicalise(Loop& loop);

/// Whether a loop can walk `axis` and the next one as a single axis.
bool joins(const Loop& loop, int axis);

/// `loop`: a Loop, constant or not.
template <class AnyLoop, class Function>
void for_each_access(AnyLoop& loop, Function function) {
  for (auto& access : loop.loads) function(access);
  for (auto& store : loop.stores) function(store.access);
}
}  // namespace tensor
