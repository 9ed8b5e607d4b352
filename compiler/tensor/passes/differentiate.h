// Turns every update's terms into gradients: reverse mode on the program itself. Each operation's adjoint is
// declared once (adjoints.cpp); one that is missing does not link. No gradient flows through stop, into
// random draws or into what no parameter of the player lies below. First of the passes: the others then see
// forward and backward as one program.
#pragma once
#include "compiler/tensor/program.h"

namespace tensor {
Program differentiate(Program program);

/// The gradient of <seed, value> in a value of the program, appended to it; for programs that give
/// derivatives. The term's two shapes are equal, and may have more axes than rows.
ValueId gradient_in(Program& program, const Term& term, ValueId input);

}  // namespace tensor
