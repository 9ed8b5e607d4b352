// Emits a prepared loop as a kernel of a GPU. In: the arrangement that the CPU's kernel also has. Out: a
// kernel in `module`, in one of the forms of grid.h, and how to launch it.
#pragma once
#include <string>
#include <vector>

#include "compiler/lower/device/device_kernel.h"
#include "compiler/lower/device/grid.h"
#include "compiler/lower/loops/arrange.h"

namespace lower {

/// How the kernel is launched; DeviceKernel::mapping says how it spreads over threads:
/// - A map has one thread for each element, or for four elements that lie in a row. Neighbouring threads take
///   neighbours along the vector axis.
/// - A map that draws has one thread for elements i, i + 32, i + 64 and i + 96: the four words of one Philox
///   counter.
/// - A reduction has 2^k threads for each kept element, neighbours along the contiguous axis. It joins their
///   sums in shared memory. If that leaves the GPU idle, blocks_y blocks share a kept element, and the last
///   of them joins the sums. The order of the sums is fixed, so results do not depend on chance.
DeviceKernel describe_device_loop(const Arrangement& arrangement, const std::string& name);

/// Emits the kernel that describe_device_loop described. Throws std::runtime_error if it has more parameters
/// than a kernel can have.
void emit_device_loop(DeviceForm form, llvm::Module& module, const Arrangement& arrangement,
                      const DeviceKernel& kernel);

/// Describes and emits a kernel that runs the loops side by side (schema::JoinedLoops): each block finds the
/// loop that it belongs to and runs it as the loop's own kernel would.
JoinedKernel describe_joined_loops(const std::vector<JoinedLoop>& loops, const std::string& name);
void emit_joined_loops(DeviceForm form, llvm::Module& module, const std::vector<JoinedLoop>& loops,
                       const JoinedKernel& kernel);

}  // namespace lower
