// Means under a family's own density, derived from its declaration. In: a whole template whose density is
// made. Out: nodes of the template's graph that do not depend on x, or none where the log-partition does not
// determine them. From d log_partition / d theta = <d natural / d theta, E statistic> (Wainwright & Jordan
// 2008, section 3.5).
#pragma once
#include "compiler/semantics/build.h"
#include "compiler/semantics/family_template.h"

namespace semantics {

/// E statistic of each term, into its `mean`. After derive_square_moments, which gives those of squares.
void derive_moments(Build& build, FamilyTemplate& t);

/// E of a node that is affine in x and the statistics; none if it is not. After derive_moments.
NodeId expectation(Build& build, const FamilyTemplate& t, NodeId node);

/// -E log p at each position, arranged as the density is. After derive_moments.
NodeId derive_entropy(Build& build, const FamilyTemplate& t);

}  // namespace semantics
