// The parameters of a conditional's family, for other programs (runtime/image.md, `graphs`).
#pragma once
#include "compiler/tensor/translate.h"

namespace tensor {

/// Over the caller's rows (batch class 0): inputs are named as the parents, outputs as the family's
/// parameters, one value for each row. No outputs where the family has no parameters.
Program build_parameters(const ModelBasis& basis, semantics::ConditionalId conditional);

}  // namespace tensor
