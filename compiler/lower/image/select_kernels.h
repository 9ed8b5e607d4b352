// The kernel of each loop. In: kernel programs. Out: the same programs as they run, whose loops name kernels
// of a set, and the set. Loops that do the same share a kernel.
#pragma once
#include <vector>

#include "compiler/lower/loops/kernel_set.h"
#include "runtime/schema/program.h"

namespace lower {

/// Adds the kernels of the loops to `kernels`, which other programs of the same image may have begun.
std::vector<schema::Program> select_kernels(const std::vector<tensor::KernelProgram>& programs,
                                            KernelSet& kernels);

}  // namespace lower
