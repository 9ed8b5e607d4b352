// The threads of a GPU kernel as its code sees them, twice: as PTX, and as host code that does a block's
// threads one after the other. A kernel is a sequence of parts; each part is done by all threads of the block
// before the next begins. What one part hands to the next lies in shared memory, or is the same in all
// threads.
#pragma once
#include <llvm/IR/Module.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "compiler/lower/vectors.h"

namespace lower {

/// host: `void kernel(void** parameters, i32 block_x, i32 block_y, i32 blocks_x, i32 blocks_y, i32 threads)`
/// does one block; ptx: a kernel of sm_70 with these parameters by value.
enum class DeviceForm { ptx, host };

class Grid {
 public:
  virtual ~Grid() = default;

  llvm::Function* function() const { return function_; }
  bool is_ptx() const { return form_ == DeviceForm::ptx; }
  /// Once the builder stands in the function: the kernel's parameters in order.
  virtual std::vector<Value*> parameters(llvm::IRBuilder<>& ir) = 0;

  // Each i32.
  Value *block_x = nullptr, *block_y = nullptr, *blocks_x = nullptr, *blocks_y = nullptr, *threads = nullptr;

  /// body(thread, i32) by every thread.
  virtual void part(llvm::IRBuilder<>& ir, const std::function<void(Value* thread)>& body) = 0;
  /// Between parts of which one reads what another wrote.
  virtual void barrier(llvm::IRBuilder<>& ir) = 0;
  /// Memory of the block.
  virtual Value* shared(llvm::IRBuilder<>& ir, llvm::Type* type, uint64_t count) = 0;
  /// What this thread wrote is seen by all blocks before what it writes next.
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
