// The kernels of an image: loops in order of their first use, equal loops sharing a kernel. In: arrangements.
// Out: each kernel's index and symbol, and its code as LLVM's.
#pragma once
#include <llvm/IR/Module.h>

#include <map>
#include <string>
#include <vector>

#include "compiler/lower/arrange.h"

namespace lower {

/// A kernel's name that profilers and assemblers take: what it computes, and what tells it from others.
std::string kernel_symbol(const std::string& name, const std::string& distinction);

class KernelSet {
 public:
  /// Index of the kernel that does this loop.
  int add(const Arrangement& arrangement);

  size_t size() const { return arrangements_.size(); }
  /// Per kernel: the first loop that it was made for.
  const std::vector<Arrangement>& arrangements() const { return arrangements_; }
  /// Per kernel: the same for equal loops of one name, in whatever image.
  const std::vector<std::string>& symbols() const { return symbols_; }

 private:
  std::map<std::string, int> by_key_;
  std::vector<Arrangement> arrangements_;
  std::vector<std::string> symbols_;
};

/// Kernels of `set` as functions of `module`, which nothing outside of it sees.
std::vector<llvm::Function*> emit_all(const KernelSet& set, llvm::Module& module);

}  // namespace lower
