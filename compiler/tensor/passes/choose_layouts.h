// Lets pointwise work, reductions, pooling, up-sampling, slices and concatenations follow the layout of the
// convolutions beside them (channels last), by moving each transposition behind them; what meets in between
// cancels in simplify. What is flattened or drawn stays channel, height, width. After differentiate, so that
// both directions are laid out alike.
#pragma once
#include "compiler/tensor/program.h"

namespace tensor {
Program choose_layouts(Program program);
}
