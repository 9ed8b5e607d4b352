// The GPU kernels that are not loops of a program. The runtime launches them around the loops, so that a step
// needs nothing from the host. In: a module. Out: the RuntimeKernels of runtime/schema/device_kernels.h in
// the module.
#pragma once
#include <llvm/IR/Module.h>

#include "compiler/lower/device/grid.h"

namespace lower {

void emit_device_runtime(DeviceForm form, llvm::Module& module);

}  // namespace lower
