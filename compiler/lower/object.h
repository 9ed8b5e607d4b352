// A finished module as text or machine code for the host. Throws std::logic_error where the module is broken.
#pragma once
#include <llvm/IR/Module.h>

#include <string>

namespace lower {

std::string print_llvm(const llvm::Module& module);
std::string make_assembly(llvm::Module& module);
std::string make_object(llvm::Module& module);

}  // namespace lower
