// Removes the values that no output and no update needs. The others keep their order.
#pragma once
#include "compiler/tensor/program.h"

namespace tensor {
Program remove_dead(Program program);
}
