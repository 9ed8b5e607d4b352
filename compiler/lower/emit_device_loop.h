// A prepared loop as a kernel of a GPU. In: an arrangement, the same that the CPU's kernel has. Out: a kernel
// in `module` (grid.h says in which form), and how it wants to be launched. A map: one thread an element, the
// next thread the next element of the vector axis. A map that draws: one thread for elements i, i + 32, i +
// 64, i + 96, whose draws are the four words of one Philox counter. A reduction: 2^k threads for each kept
// element (neighbours along the axis that is contiguous), their sums joined in shared memory; where even that
// leaves the GPU idle, blocks_y blocks for each kept element, whose sums the last of them joins in a fixed
// order: sums do not depend on chance.
#pragma once
#include <string>

#include "compiler/lower/arrange.h"
#include "compiler/lower/device_kernel.h"
#include "compiler/lower/grid.h"

namespace lower {

DeviceKernel describe_device_loop(const Arrangement& arrangement, const std::string& name);

/// The kernel that was described.
void emit_device_loop(DeviceForm form, llvm::Module& module, const Arrangement& arrangement,
                      const DeviceKernel& kernel);

}  // namespace lower
