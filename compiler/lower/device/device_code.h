// Compiles the kernels of a set for a GPU, too. In: a set. Out: PTX with all of them, and how each is
// launched (runtime/image.md, device_kernels). Each kernel is compiled and cached alone. Kernels that call
// functions are compiled together, because one PTX text can define a function only once.
#pragma once
#include <string>
#include <vector>

#include "compiler/base/cache.h"
#include "compiler/lower/device/device_kernel.h"
#include "compiler/lower/loops/kernel_set.h"

namespace lower {

struct DeviceCode {
  std::vector<DeviceKernel> kernels;  // by kernel of the set
  std::string ptx;
};

/// Throws std::runtime_error if a kernel calls a function that vaec does not have for GPUs.
DeviceCode make_device_code(const KernelSet& set, base::Cache& cache);

}  // namespace lower
