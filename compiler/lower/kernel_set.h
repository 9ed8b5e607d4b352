// The kernels of an image: one LLVM module that grows as loops are added, equal loops sharing a kernel.
#pragma once
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compiler/lower/arrange.h"

namespace lower {

/// A kernel's name that profilers and assemblers take.
std::string kernel_symbol(int index, const std::string& name);

class KernelSet {
 public:
  KernelSet();

  /// Index of the kernel that does this loop, emitted if none is there.
  int add(const Arrangement& arrangement);

  const std::vector<llvm::Function*>& kernels() const { return kernels_; }
  /// Per kernel: the first loop that it was made for.
  const std::vector<Arrangement>& arrangements() const { return arrangements_; }
  /// A constant array of the kernels' addresses, in order, under this name.
  llvm::GlobalVariable* export_table(const std::string& name);
  llvm::Module& module() { return *module_; }

  /// Gives away module and context: nothing can be added afterwards.
  std::unique_ptr<llvm::Module> take_module() { return std::move(module_); }
  std::unique_ptr<llvm::LLVMContext> take_context() { return std::move(context_); }

 private:
  std::unique_ptr<llvm::LLVMContext> context_;
  std::unique_ptr<llvm::Module> module_;
  std::map<std::string, int> by_key_;
  std::vector<llvm::Function*> kernels_;
  std::vector<Arrangement> arrangements_;
};

}  // namespace lower
