// The Jacobian of a decoder's mean by its parent. It serves to measure how the decoder uses its codes.
#pragma once
#include <optional>

#include "compiler/tensor/build/translate.h"

namespace tensor {

/// The largest number of elements that the mean may have: each needs a row of the mean and of its reverse
/// sweep.
constexpr int64_t most_jacobian_rows = 1024;

/// A program over the caller's rows (batch class 0); batch class 1 has a row for each element of the mean.
/// The input has the name of the parent. The output `jacobian` is [rows elements of the target, elements of
/// the parent] and takes one reverse sweep, in which gradients pass through `stop`. None if the conditional
/// is not a decoder's, has no mean, or does not have exactly one parent, whose values lie on a line.
std::optional<Program> build_jacobian(const ModelBasis& basis, semantics::ConditionalId conditional);

}  // namespace tensor
