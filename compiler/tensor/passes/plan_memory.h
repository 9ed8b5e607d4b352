// Gives scratch buffers slots of the program's memory: a loop that may write over what it reads last, index
// for index, does so in the same slot, every other buffer has its own. Where slots lie, and which share
// memory, is decided when the numbers of rows are known (runtime/scratch_layout.h). Gradient arrays live from
// their first part to their update. The last pass: it must see the instructions in their final order.
#pragma once
#include "compiler/tensor/kernel_program.h"

namespace tensor {
KernelProgram plan_memory(KernelProgram kernel_program);
}
