// The Jacobian of a decoder's mean in its parent, for measures of what the decoder does to its codes.
#pragma once
#include <optional>

#include "compiler/tensor/translate.h"

namespace tensor {

/// Outputs have at most so many elements: each costs a row of the mean and of its reverse sweep.
constexpr int64_t most_jacobian_rows = 1024;

/// Over the caller's rows (batch class 0; class 1 has a row for each element of the mean): the input is named
/// as the parent, the output `jacobian` is [rows elements of the target, elements of the parent], by one
/// reverse sweep; `stop` does not stop it. Of a decoder's conditional that has a mean and one parent with
/// values on a line; else none.
std::optional<Program> build_jacobian(const ModelBasis& basis, semantics::ConditionalId conditional);

}  // namespace tensor
