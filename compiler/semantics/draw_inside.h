// Draws put inside their domain. In: a template with its statistic, its log-base and a `sample` as declared.
// Out: a node of the same law whose every value in float32 lies strictly inside the variable's domain, where
// the statistic and the log-base are finite. A NaN stays one: it tells of parameters that are none.
#pragma once
#include "compiler/semantics/build.h"
#include "compiler/semantics/family_template.h"

namespace semantics {

/// The sample at each position; of category(K) its index.
NodeId draw_inside(Build& build, const FamilyTemplate& t, const Domain& domain, NodeId sample);

}  // namespace semantics
