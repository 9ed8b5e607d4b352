// Compiles the kernels of a set for a GPU. In: a set. Out: PTX with all of them. Each kernel is compiled and
// cached alone. Kernels that call functions are compiled together, because one PTX text can define a function
// only once.
#pragma once
#include <string>

#include "compiler/base/cache.h"
#include "compiler/lower/device/device_set.h"

namespace lower {

/// Throws std::runtime_error if a kernel calls a function that vaec does not have for GPUs.
std::string make_device_code(const DeviceSet& set, base::Cache& cache);

}  // namespace lower
