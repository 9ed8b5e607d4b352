// Emits a prepared loop as machine-independent vector code. In: an arrangement. Out: a function `void (const
// vae_loop*, i64 begin, i64 end)` in `module` that computes units [begin, end).
#pragma once
#include <llvm/IR/Module.h>

#include <string>

#include "compiler/lower/loops/arrange.h"

namespace lower {

/// Declares this function; another module defines it.
llvm::Function* declare_kernel(llvm::Module& module, const std::string& name);

llvm::Function* emit_loop(llvm::Module& module, const Arrangement& arrangement, const std::string& name);

}  // namespace lower
