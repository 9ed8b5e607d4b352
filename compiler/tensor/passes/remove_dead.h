// Keeps the values that outputs and updates need, in order.
#pragma once
#include "compiler/tensor/program.h"

namespace tensor {
Program remove_dead(Program program);
}
