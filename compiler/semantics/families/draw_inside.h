// Moves draws inside their domain. In: a template with its statistic, its log-base and its declared `sample`.
// Out: a node with the same distribution. In float32, each of its values lies strictly inside the variable's
// domain, where the statistic and the log-base are finite. A NaN stays NaN: it shows that parameters are NaN.
#pragma once
#include "compiler/semantics/families/family_template.h"
#include "compiler/semantics/graph/build.h"

namespace semantics {

/// The sample at each position; for category(K) its index.
NodeId draw_inside(Build& build, const FamilyTemplate& t, const Domain& domain, NodeId sample);

}  // namespace semantics
