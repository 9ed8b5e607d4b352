// What a loop only reads. In: a finished program and one of its loops. Out: for each load, whether none of
// the loop's stores writes into the memory of the load, on a GPU. Other loops of the same launch write
// elsewhere, because the plan joins no loops that depend on one another.
#pragma once
#include <vector>

#include "compiler/tensor/kernel_program.h"

namespace lower {
std::vector<bool> only_read(const tensor::KernelProgram& program, const tensor::Loop& loop);
}
