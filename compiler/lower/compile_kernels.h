// The machine code of kernels: an object each, so that one that an earlier compilation made can serve this
// one too. In: a set. Out: objects in its order, then those of functions that several kernels call. A
// remembered object is byte for byte what would be made here: same loop, name and processor, same vaec and
// LLVM.
#pragma once
#include <string>
#include <vector>

#include "compiler/base/memory.h"
#include "compiler/lower/kernel_set.h"

namespace lower {

struct CompiledKernels {
  std::vector<std::string> objects;
  size_t made = 0;  // of them; the others were remembered
};

/// Several at a time on the processor's threads. Without a memory, all are made anew.
CompiledKernels compile_kernels(const KernelSet& set, base::Memory* memory);

/// What code depends on besides what it is made from: this vaec, LLVM, the processor. Empty where this vaec
/// cannot tell itself from another: then nothing may be remembered.
std::string code_origin();

}  // namespace lower
