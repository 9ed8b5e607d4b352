// Simplifies a program. It folds constants, drops x * 1, x + 0 and similar terms, and merges equal values. It
// moves negations and common factors outwards, so that the adjoint of a log-density reads statistic - mean.
// It splits a sum over rows and other axes into two stages, and removes values that no output needs. After
// differentiate, which produces such terms; again after choose_layouts.
#pragma once
#include "compiler/tensor/program.h"

namespace tensor {
Program simplify(Program program);
}
