// Plans how a GPU runs a program with few launches. Loops that do not depend on one another, and that could
// run one after the other, become one launch, whose blocks are divided between them. In: a finished kernel
// program. Out: the same program with a plan (schema::LaunchPlan), if any loops can be joined; the
// instructions and the processor's memory stay as they are.
// After canonicalise_loops: the plan names loops as kernels have them. Only for targets with a GPU: a
// processor gains nothing from it, and the order of the plan needs more memory.
#pragma once
#include "compiler/tensor/kernel_program.h"

namespace tensor {
KernelProgram join_launches(KernelProgram program);

/// What is wrong with the plan of a program; empty if nothing is. Errors are an instruction that is missing
/// or runs before what it depends on, and memory that two live values share.
std::optional<std::string> verify_plan(const KernelProgram& program);
}  // namespace tensor
