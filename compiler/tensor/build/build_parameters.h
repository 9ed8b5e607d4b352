// The parameters of a conditional's family, for other programs (runtime/image.md, `graphs`).
#pragma once
#include "compiler/tensor/build/translate.h"

namespace tensor {

/// A program over the caller's rows (batch class 0). Inputs have the names of the parents. Outputs have the
/// names of the family's parameters, one value for each row. If the family has no parameters, there are no
/// outputs.
Program build_parameters(const ModelBasis& basis, semantics::ConditionalId conditional);

}  // namespace tensor
