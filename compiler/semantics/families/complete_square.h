// Quadratic pairs: natural parameters n1 and n2 of statistics t and t^2 give
//   n1 t + n2 t^2 - A = n2 (t - m)^2 - (A + n1^2 / (4 n2)),   m = -n1 / (2 n2).
// On the left, large terms cancel if m^2 is much larger than the variance 1 / (-2 n2). On the right they do
// not, provided that the parts of A + n1^2 / (4 n2) cancel symbolically; otherwise the pair stays as
// declared.
// In: a template with terms, log-partition and log-base. Out: its squares, and the rest.
#pragma once
#include "compiler/semantics/families/family_template.h"
#include "compiler/semantics/graph/build.h"

namespace semantics {

/// Fills `squares`, `rest_partition` and `rest_base`.
void complete_squares(Build& build, FamilyTemplate& t);

/// Finds E statistic and E (statistic - centre)^2 for each square, and the means of its terms.
void derive_square_moments(Build& build, FamilyTemplate& t);

/// log p at each position, from squares, the other terms and the rest.
NodeId arrange_density(Build& build, const FamilyTemplate& t);

/// The value of `t.declared`, with the gradient of `t.derived` by the parameters and by x.
NodeId with_derived_gradient(Build& build, const FamilyTemplate& t);

/// Whether the term is part of a square.
bool in_square(const FamilyTemplate& t, size_t term);

/// Sums over the axes in front of the positions.
NodeId sum_own_axes(Build& build, const FamilyTemplate& t, NodeId node);

}  // namespace semantics
