// Makes a kernel program from a program. It joins pointwise values, row reductions and other work over one
// index space into loops, and it turns views into strided accesses. Library operations get their buffers, and
// the gradients of a player are written into one flat buffer. Every buffer has memory of its own here;
// plan_memory lets them share it. After simplify and choose_layouts, which decide what is worth joining.
#pragma once
#include "compiler/tensor/kernel_program.h"
#include "compiler/tensor/program.h"

namespace tensor {
/// The program must be differentiated: it has no terms left.
KernelProgram fuse(Program program);
}  // namespace tensor
