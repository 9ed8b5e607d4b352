// How gradients pass through the draw of a latent variable in a bound. In: its conditional, and an estimator
// of METHODS: reparam, zgr, st, gumbel or score. Out: a value to bind the latent to.
#pragma once
#include "compiler/semantics/bounds.h"
#include "compiler/tensor/translate.h"

namespace tensor {

using semantics::Estimator;
using semantics::estimator_of;

/// [rows, ...] of the latent's tensor shape. score: a constant (its gradient is a term of its own); gumbel: a
/// relaxed value; the others: a draw of the conditional, to which a gradient is attached.
ValueId draw_latent(const semantics::Model& model, const semantics::Conditional& latent,
                    const Estimator& estimator, Program& program, Translator& rows);

}  // namespace tensor
