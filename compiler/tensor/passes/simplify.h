// Folds constants, drops x * 1, x + 0 and the like, moves negations and common factors out (so that the
// adjoint of a log-density reads statistic - mean), merges equal values, splits sums over rows and other axes
// into two stages, and removes what no output needs. After differentiate, which leaves such traces; again
// after choose_layouts.
#pragma once
#include "compiler/tensor/program.h"

namespace tensor {
Program simplify(Program program);
}
