// Quadratic pairs: natural parameters n1 and n2 of statistics t and t^2 give
//   n1 t + n2 t^2 - A = n2 (t - m)^2 - (A + n1^2 / (4 n2)),   m = -n1 / (2 n2).
// On the left the terms cancel where m^2 is large beside the variance 1 / (-2 n2); on the right none does, if
// the two parts of A + n1^2 / (4 n2) that cancel do so symbolically.
// In: a template with terms, log-partition and log-base. Out: its squares, and what is left beside them. A
// pair whose parts do not cancel symbolically stays as declared.
#pragma once
#include "compiler/semantics/build.h"
#include "compiler/semantics/family_template.h"

namespace semantics {

/// Fills `squares`, `rest_partition` and `rest_base`.
void complete_squares(Build& build, FamilyTemplate& t);

/// Finds E statistic and E (statistic - centre)^2 of each square, and the means of its terms.
void derive_square_moments(Build& build, FamilyTemplate& t);

/// log p at each position, from squares, the other terms and the rest.
NodeId arrange_density(Build& build, const FamilyTemplate& t);

/// The value of `t.declared`, with the gradient of `t.derived` in the parameters and in x.
NodeId with_derived_gradient(Build& build, const FamilyTemplate& t);

/// Whether the term stands in a square.
bool in_square(const FamilyTemplate& t, size_t term);

/// Sums over the axes before the positions.
NodeId sum_own_axes(Build& build, const FamilyTemplate& t, NodeId node);

}  // namespace semantics
