// How gradients pass through the draw of a latent variable in a bound. In: its conditional, and an estimator
// of METHODS: reparam, zgr, st, gumbel or score. Out: a value to bind the latent to.
#pragma once
#include <string>

#include "compiler/tensor/translate.h"

namespace tensor {

struct Estimator {
  std::string kind;
  double temperature = 1;  // of gumbel
};

/// As the learn block says of the variable; else reparam where the sample is differentiable, zgr for binary
/// and category, score for the rest.
Estimator estimator_of(const semantics::Model& model, const semantics::Learn& learn,
                       const semantics::Conditional& latent);

/// [rows, ...] of the latent's tensor shape. score: a constant (its gradient is a term of its own); gumbel: a
/// relaxed value; the others: a draw of the conditional, to which a gradient is attached.
ValueId draw_latent(const semantics::Model& model, const semantics::Conditional& latent,
                    const Estimator& estimator, Program& program, Translator& rows);

}  // namespace tensor
