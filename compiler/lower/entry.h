// What an executable or a library of a model begins with. In: its images, one for each processor that it has
// code for. Out: `main`, or for a library NAME_open, NAME_sample, ..., each of which calls the function of
// runtime/model_api.h that it is named after. Of several images the runtime chooses one where they run.
#pragma once
#include <llvm/IR/Module.h>

#include <string>
#include <vector>

namespace lower {

/// `images`: of `module`, defined or declared. `library`: NAME; empty for an executable.
void add_entry(llvm::Module& module, const std::vector<llvm::Constant*>& images, const std::string& library);

}  // namespace lower
