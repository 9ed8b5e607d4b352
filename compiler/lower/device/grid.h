// The threads of a GPU kernel, as its code sees them. There are two forms: PTX, and host code that runs the
// threads of a block one after the other. A kernel is a sequence of parts. All threads of the block finish a
// part before the next part begins. A value that one part hands to the next lies in shared memory, or is the
// same in all threads.
#pragma once
#include <llvm/IR/Module.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "compiler/lower/loops/vectors.h"

namespace lower {

/// host: `void kernel(void** parameters, i32 block_x, i32 block_y, i32 blocks_x, i32 blocks_y, i32 threads)`
/// runs one block. ptx: a kernel of sm_70 that takes the parameters by value.
enum class DeviceForm { ptx, host };

class Grid {
 public:
  virtual ~Grid() = default;

  llvm::Function* function() const { return function_; }
  bool is_ptx() const { return form_ == DeviceForm::ptx; }
  /// The kernel's parameters in order. The builder must already stand in the function.
  virtual std::vector<Value*> parameters(llvm::IRBuilder<>& ir) = 0;

  // All are i32.
  Value *block_x = nullptr, *block_y = nullptr, *blocks_x = nullptr, *blocks_y = nullptr, *threads = nullptr;

  /// Every thread runs body(thread); `thread` is an i32.
  virtual void part(llvm::IRBuilder<>& ir, const std::function<void(Value* thread)>& body) = 0;
  /// Needed between two parts if one reads what the other wrote.
  virtual void barrier(llvm::IRBuilder<>& ir) = 0;
  /// Memory that the threads of the block share.
  virtual Value* shared(llvm::IRBuilder<>& ir, llvm::Type* type, uint64_t count) = 0;
  /// What is emitted from now on runs in other blocks than what was emitted before, so it may take the same
  /// shared memory.
  virtual void reuse_shared() {}
  /// All blocks see what this thread wrote so far before they see what it writes next.
  virtual void publish(llvm::IRBuilder<>& ir) = 0;

 protected:
  Grid(DeviceForm form, llvm::Function* function) : function_(function), form_(form) {}
  llvm::Function* function_;
  DeviceForm form_;
};

/// Begins a kernel whose parameters have these types; at most `most_threads` run in a block.
std::unique_ptr<Grid> make_grid(DeviceForm form, llvm::Module& module, const std::string& name,
                                const std::vector<llvm::Type*>& parameters, unsigned most_threads);

}  // namespace lower
