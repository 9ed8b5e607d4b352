// Turns the terms of every update into gradients, by reverse mode on the program itself. The adjoint of each
// operation is declared once (adjoints.cpp); if one is missing, vaec does not link. No gradient flows through
// stop, into random draws, or into values that depend on no parameter of the player. This is the first pass:
// the others then see forward and backward as one program.
#pragma once
#include "compiler/tensor/program.h"

namespace tensor {
Program differentiate(Program program);

/// Appends the gradient of <seed, value> by the value `input` of the program, for programs that output
/// derivatives. The two shapes of the term are equal and may have axes besides the rows.
ValueId gradient_in(Program& program, const Term& term, ValueId input);

}  // namespace tensor
