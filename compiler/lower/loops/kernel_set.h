// The kernels of an image: loops in the order of their first use; equal loops share a kernel. In:
// arrangements. Out: each kernel's index and symbol, and its code as LLVM functions.
#pragma once
#include <llvm/IR/Module.h>

#include <map>
#include <string>
#include <vector>

#include "compiler/lower/loops/arrange.h"

namespace lower {

/// A name for a kernel that profilers and assemblers accept. `name` says what it computes, `distinction` is
/// different for different kernels.
std::string kernel_symbol(const std::string& name, const std::string& distinction);

class KernelSet {
 public:
  /// The index of the kernel that runs this loop.
  int add(const Arrangement& arrangement);

  size_t size() const { return arrangements_.size(); }
  /// By kernel: the arrangement of the first loop that uses it.
  const std::vector<Arrangement>& arrangements() const { return arrangements_; }
  /// By kernel: its symbol, which is the same in every image for equal loops with equal names.
  const std::vector<std::string>& symbols() const { return symbols_; }

 private:
  std::map<std::string, int> by_key_;
  std::vector<Arrangement> arrangements_;
  std::vector<std::string> symbols_;
};

/// The kernels of `set` as functions of `module`, invisible outside the module.
std::vector<llvm::Function*> emit_all(const KernelSet& set, llvm::Module& module);

}  // namespace lower
