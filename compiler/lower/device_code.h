// The kernels of a set once more, for a GPU. In: a set. Out: PTX with all of them, and how each is launched
// (runtime/image.md, device_kernels). Made and cached kernel by kernel; those that call functions, which
// one text can define but once, together.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "compiler/base/cache.h"
#include "compiler/lower/kernel_set.h"

namespace lower {

struct DeviceCode {
  nlohmann::json kernels;
  std::string ptx;
};

/// Throws std::runtime_error where vaec has not got for GPUs what a kernel calls.
DeviceCode make_device_code(const KernelSet& set, base::Cache& cache);

}  // namespace lower
