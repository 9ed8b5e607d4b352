// The GPU kernels of an image: one module, in either form of grid.h, with the runtime's own
// kernels. In: arrangements, by the index of their
// CPU kernel. Out: how each is launched, and PTX or an object of the host.
#pragma once
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compiler/lower/emit_device_loop.h"

namespace lower {

class DeviceSet {
 public:
  explicit DeviceSet(DeviceForm form);
  DeviceSet(const DeviceSet&) = delete;
  ~DeviceSet();

  /// The kernel that does this loop, emitted if none is there; `name`: of what it computes.
  const DeviceKernel& add(const Arrangement& arrangement, const std::string& name);

  llvm::Module& module() { return *module_; }

 private:
  DeviceForm form_;
  std::unique_ptr<llvm::LLVMContext> context_;
  std::unique_ptr<llvm::Module> module_;
  std::map<std::string, DeviceKernel> by_key_;
};

}  // namespace lower
