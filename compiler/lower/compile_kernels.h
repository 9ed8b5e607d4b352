// The machine code of kernels, an object each. In: a set. Out: objects in its order, then those of functions
// that several kernels call.
#pragma once
#include "compiler/lower/kernel_set.h"
#include "compiler/lower/pieces.h"

namespace lower {

MadePieces compile_kernels(const KernelSet& set, base::Cache* cache);

}  // namespace lower
