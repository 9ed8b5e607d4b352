// The phases of `learn elbo`, `iwae`, `rws` and `libi`: one program each, in which all players maximize one
// bound (rws: each its own). Outputs: sums over the rows, of means over the samples; `objective` says what
// the record makes of them.
#pragma once
#include "compiler/tensor/build_step.h"

namespace tensor {

/// One phase, run in every step; libi: three, of which a step runs one (fit, constrain, refit).
std::vector<Phase> build_bound_phases(const ModelBasis& basis, const game::Bounds& bounds,
                                      const semantics::Learn& learn);

/// The coefficient that libi's second phase reads its multiplier from, behind those of the sources.
int multiplier_coefficient(const semantics::Model& model);

/// The coefficients from which `elbo` reads the numbers of its keys that follow a schedule, there too.
std::map<std::string, int> scheduled_coefficients(const semantics::Model& model,
                                                  const semantics::Learn& learn);

}  // namespace tensor
