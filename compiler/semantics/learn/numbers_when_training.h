// Numbers of learn blocks that programs read while they train. In: a model as it is written. Out: the model
// as executables have it.
#pragma once
#include "compiler/semantics/model.h"

namespace semantics {

/// Flags may change beta, alpha and free_bits, so programs read them from coefficients, as for a key that
/// follows a schedule. If alpha or free_bits is 0, its term is left out.
void read_numbers_when_training(Model& model);

}  // namespace semantics
