// Gives scratch buffers slots of the program's memory: buffers whose lives do not overlap share one, and a
// loop may write over what it reads last, index for index. Gradient arrays keep a slot from their first part
// to their update. The last pass: it must see the instructions in their final order.
#pragma once
#include "compiler/tensor/schedule.h"

namespace tensor {
Schedule plan_memory(Schedule schedule);
}
