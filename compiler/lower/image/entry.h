// The entry of an executable or of a library of a model. In: its images, one for each processor that it has
// code for. Out: `main` or, for a library, NAME_open, NAME_sample, ..., each of which calls the function of
// runtime/model_api.h with the same ending. If there are several images, the runtime chooses one when the
// program runs.
#pragma once
#include <llvm/IR/Module.h>

#include <string>
#include <vector>

namespace lower {

/// `images`: defined or declared in `module`. `library`: NAME; empty for an executable.
void add_entry(llvm::Module& module, const std::vector<llvm::Constant*>& images, const std::string& library);

}  // namespace lower
