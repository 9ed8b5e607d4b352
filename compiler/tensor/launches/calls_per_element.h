// Whether the kernel of a loop calls functions of the runtime for single elements.
#pragma once
#include "compiler/tensor/kernel_program.h"

namespace tensor {
bool calls_per_element(const Loop& loop);
}
