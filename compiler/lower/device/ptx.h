// A module of GPU kernels, and its PTX. In: kernels (grid.h, form ptx). Out: text that ptxas and CUDA's
// driver can assemble for sm_70 and later.
#pragma once
#include <llvm/IR/Module.h>

#include <string>
#include <vector>

namespace lower {

/// Sets what NVPTX needs: the triple and the data layout.
void target_ptx(llvm::Module& module);

/// The PTX of the module, with the runtime's functions that its kernels call. Throws std::runtime_error if
/// vaec does not have such a function for GPUs, and std::logic_error if the module is broken.
std::string make_ptx(llvm::Module& module);

/// Joins the texts of several modules into one. No name may be defined twice.
std::string join_ptx(const std::vector<std::string>& texts);

}  // namespace lower
