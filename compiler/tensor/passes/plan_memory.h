// Assigns scratch buffers to slots of the program's memory. If a loop may write over a buffer that it reads
// last, index for index, the result takes the same slot; every other buffer gets its own slot. When the
// numbers of rows are known, the runtime decides where slots lie and which share memory
// (runtime/schema/scratch_layout.h). The live range of a gradient array goes from its first part to its
// update. It needs the instructions in their final order.
#pragma once
#include "compiler/tensor/kernel_program.h"

namespace tensor {
KernelProgram plan_memory(KernelProgram kernel_program);

/// Slots for the scratch buffers if the instructions run in another order. The instructions of one moment run
/// at the same time.
struct ScratchPlan {
  std::vector<Life> slots;   // in moments
  std::vector<int> slot_of;  // by buffer; -1 if it is not scratch memory
};
ScratchPlan plan_scratch(const KernelProgram& kernel_program, const std::vector<std::vector<int>>& moments);
}  // namespace tensor
