// Makes a program a kernel program: joins pointwise chains, row reductions and what else runs over one index
// space into loops, turns views into strided accesses, gives library operations their buffers, and writes
// each player's gradients into one flat buffer. Every buffer has memory of its own: plan_memory shares it.
// After simplify and choose_layouts, which decide what is worth joining.
#pragma once
#include "compiler/tensor/kernel_program.h"
#include "compiler/tensor/program.h"

namespace tensor {
/// The program must be differentiated: no terms left.
KernelProgram fuse(Program program);
}  // namespace tensor
