// Means under a family's own density, derived from its declaration. In: a complete template whose density is
// built. Out: nodes of the template's graph that do not depend on x; none if the log-partition does not
// determine them. They follow from d log_partition / d theta = <d natural / d theta, E statistic> (Wainwright
// & Jordan 2008, section 3.5).
#pragma once
#include "compiler/semantics/families/family_template.h"
#include "compiler/semantics/graph/build.h"

namespace semantics {

/// Writes E statistic of each term into its `mean`. After derive_square_moments, which gives those of
/// squares.
void derive_moments(Build& build, FamilyTemplate& t);

/// The expectation of a node that is affine in x and the statistics; none if it is not affine. After
/// derive_moments.
NodeId expectation(Build& build, const FamilyTemplate& t, NodeId node);

/// -E log p at each position, in the same arrangement as the density. After derive_moments.
NodeId derive_entropy(Build& build, const FamilyTemplate& t);

}  // namespace semantics
