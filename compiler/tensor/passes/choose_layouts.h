// Convolutions keep channels last. This pass lets the operations beside them use the same layout: pointwise
// operations, reductions, pooling, up-sampling, slices and concatenations. To do so, it moves each
// transposition behind the operation; simplify then cancels transpositions that follow each other. Flattened
// or drawn values stay in the order channel, height, width. After differentiate, so that both directions get
// the same layouts.
#pragma once
#include "compiler/tensor/program.h"

namespace tensor {
Program choose_layouts(Program program);
}
