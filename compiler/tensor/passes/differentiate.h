// Turns every update's terms into gradients: reverse mode on the program itself. Each operation's adjoint is
// declared once (adjoints.cpp); one that is missing does not link. No gradient flows through stop, into
// random draws or into what no parameter of the player lies below. First of the passes: the others then see
// forward and backward as one program.
#pragma once
#include "compiler/tensor/program.h"

namespace tensor {
Program differentiate(Program program);
}
