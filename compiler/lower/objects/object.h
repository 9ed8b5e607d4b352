// Turns a finished module into text or into machine code for the host, and objects into one archive. Throws
// std::logic_error if the module is broken.
#pragma once
#include <llvm/IR/Module.h>

#include <string>
#include <vector>

namespace lower {

std::string print_llvm(const llvm::Module& module);
std::string make_assembly(llvm::Module& module);
std::string make_object(llvm::Module& module);
/// An archive as `ar` would write it. It has the same bytes for the same objects.
std::string make_archive(const std::vector<std::string>& objects);

}  // namespace lower
