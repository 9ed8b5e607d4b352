// The phases of `learn elbo`, `iwae`, `rws` and `libi`, with one program each. All players maximize one
// bound; in `rws` each player has its own objective. An output is a sum over the rows of the mean over the
// samples. `Phase::objective` says how the recorded utilities use the outputs.
#pragma once
#include "compiler/tensor/build/build_step.h"

namespace tensor {

/// One phase that runs in every step. `libi` has three phases (fit, constrain, refit); a step runs one of
/// them.
std::vector<Phase> build_bound_phases(const ModelBasis& basis, const game::Bounds& bounds,
                                      const semantics::Learn& learn);

/// The index of the coefficient that holds the multiplier of libi's second phase. It follows the sources'
/// coefficients.
int multiplier_coefficient(const semantics::Model& model);

/// For each key of `elbo` whose value follows a schedule: the index of the coefficient that holds the value.
/// These coefficients follow those of the sources, too.
std::map<std::string, int> scheduled_coefficients(const semantics::Model& model,
                                                  const semantics::Learn& learn);

}  // namespace tensor
