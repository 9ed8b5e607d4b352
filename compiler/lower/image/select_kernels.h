// The kernel of each loop. In: kernel programs. Out: the same programs as they run, whose loops name kernels
// of two sets, and the sets. Loops that do the same share a kernel of the processor; if their shapes are
// equal too, they share a kernel of GPUs.
#pragma once
#include <vector>

#include "compiler/lower/device/device_set.h"
#include "compiler/lower/loops/kernel_set.h"
#include "runtime/schema/program.h"

namespace lower {

/// Adds the kernels of the loops to the sets, which other programs of the same image may have begun.
std::vector<schema::Program> select_kernels(const std::vector<tensor::KernelProgram>& programs,
                                            KernelSet& kernels, DeviceSet& device);

}  // namespace lower
