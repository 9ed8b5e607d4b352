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

template <class Function>
void for_each_access(Loop& loop, Function function) {
  for (Access& access : loop.loads) function(access);
  for (Store& store : loop.stores) function(store.access);
}
}  // namespace tensor
