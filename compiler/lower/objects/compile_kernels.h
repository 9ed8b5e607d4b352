// The machine code of kernels, one object for each. In: a set. Out: the kernels' objects in the order of the
// set, then the objects of functions that several kernels call.
#pragma once
#include "compiler/lower/loops/kernel_set.h"
#include "compiler/lower/objects/pieces.h"

namespace lower {

MadePieces compile_kernels(const KernelSet& set, base::Cache* cache);

}  // namespace lower
