// A finished module as text or machine code for the host, and objects in one archive. Throws std::logic_error
// where the module is broken.
#pragma once
#include <llvm/IR/Module.h>

#include <string>
#include <vector>

namespace lower {

std::string print_llvm(const llvm::Module& module);
std::string make_assembly(llvm::Module& module);
std::string make_object(llvm::Module& module);
/// As `ar` would, the same bytes for the same objects.
std::string make_archive(const std::vector<std::string>& objects);

}  // namespace lower
