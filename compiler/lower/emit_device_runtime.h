// The kernels of a GPU that are no loop of a program: what the runtime launches around the loops so that a
// step needs nothing of the host. In: a module. Out: kernels of these names in it. runtime/image.md says what
// each does.
#pragma once
#include <llvm/IR/Module.h>

#include "compiler/lower/grid.h"

namespace lower {

void emit_device_runtime(DeviceForm form, llvm::Module& module);

}  // namespace lower
