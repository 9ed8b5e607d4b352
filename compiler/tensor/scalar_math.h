// The meaning of every pointwise operation, in double precision: for constant folding and the interpreters.
#pragma once
#include "compiler/semantics/graph.h"

namespace tensor {
/// Unused operands are ignored.
double evaluate(semantics::Op op, double a, double b, double c);
}  // namespace tensor
