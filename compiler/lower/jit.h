// Machine code in this process. In: a module and its context. Out: addresses by name, while the Jit lives.
// Symbols that the module lacks are looked up in the process, libraries opened with RTLD_GLOBAL included.
#pragma once
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include <memory>
#include <string>

namespace llvm::orc {
class LLJIT;
}

namespace lower {

class Jit {
 public:
  Jit(std::unique_ptr<llvm::Module> module, std::unique_ptr<llvm::LLVMContext> context);
  ~Jit();

  /// Throws std::logic_error where there is none.
  void* address(const std::string& name);

 private:
  std::unique_ptr<llvm::orc::LLJIT> jit_;
};

}  // namespace lower
