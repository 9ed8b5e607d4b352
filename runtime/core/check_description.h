// Checks what the types of a description cannot say: every index is within its array, and a program uses a
// buffer only during its live range.
#pragma once
#include <cstdint>

#include "runtime/schema/description.h"

namespace core {

/// `kernels`: how many loop kernels the image has. Throws schema::Malformed.
void check_description(const schema::Description& description, uint32_t kernels);

}  // namespace core
