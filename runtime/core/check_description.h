// Checks what the types of a description cannot say: every index is within its array, and a program uses a
// buffer only during its live range.
#pragma once
#include <cstdint>

#include "runtime/schema/description.h"

namespace core {

/// `kernels`: how many loop kernels the image has; `device_kernels`: how many for GPUs, 0 without PTX. Throws
/// schema::Malformed.
void check_description(const schema::Description& description, size_t kernels, size_t device_kernels = 0);

/// Checks that joined kernels run loops that there are, and that the plan of each program launches a kernel
/// that runs just its loops. The programs must have passed check_description.
void check_joined_kernels(const std::vector<schema::JoinedKernel>& joined, size_t device_kernels,
                          const std::vector<schema::Program>& programs);

}  // namespace core
