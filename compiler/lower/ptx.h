// A module of GPU kernels, and its PTX. In: kernels (grid.h, form ptx). Out: text that ptxas and CUDA's
// driver assemble for sm_70 and everything after it.
#pragma once
#include <llvm/IR/Module.h>

#include <string>
#include <vector>

namespace lower {

/// Sets what NVPTX needs: triple and layout of pointers.
void target_ptx(llvm::Module& module);

/// With the runtime's functions that kernels call. Throws std::runtime_error where vaec has not got one for
/// GPUs, std::logic_error where the module is broken.
std::string make_ptx(llvm::Module& module);

/// One text of those of several modules, which define no name twice.
std::string join_ptx(const std::vector<std::string>& texts);

}  // namespace lower
