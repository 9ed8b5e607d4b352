// How gradients pass through the draw of a latent variable in a bound. In: its conditional, and an estimator
// (docs/methods.md, "elbo"): reparam, zgr, st, gumbel or score. Out: the value to which the latent is bound.
#pragma once
#include "compiler/semantics/learn/bounds.h"
#include "compiler/tensor/build/translate.h"

namespace tensor {

using semantics::Estimator;
using semantics::estimator_of;

/// [rows, ...] with the tensor shape of the latent. score: a constant, because a separate term gives its
/// gradient. gumbel: a relaxed value. The others: a draw of the conditional with a gradient attached.
ValueId draw_latent(const semantics::Model& model, const semantics::Conditional& latent,
                    const Estimator& estimator, Program& program, Translator& rows);

}  // namespace tensor
