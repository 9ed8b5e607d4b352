// Logistic families: one term with natural parameter n, and the log-partition size softplus(n). By
//   n t - size softplus(n) = n (t - size [n > 0]) - size softplus(-|n|)
// no terms as large as `size` cancel in the density, its gradient, the entropy or the divergence.
// In: a template with terms and log-partition. Out: nodes over the positions.
#pragma once
#include "compiler/semantics/families/family_template.h"
#include "compiler/semantics/graph/build.h"

namespace semantics {

/// The size; none if the template does not have this form.
std::optional<double> logistic_size(const FamilyTemplate& t);

/// n t - size softplus(n).
NodeId logistic_exponent(Build& build, const FamilyTemplate& t, double size);

/// size softplus(n) - n E t.
NodeId logistic_entropy(Build& build, const FamilyTemplate& t, double size);

/// (n_q - n_p) E_q t - size softplus(n_q) + size softplus(n_p).
NodeId logistic_divergence(Build& build, double size, NodeId of_q, NodeId of_p);

}  // namespace semantics
