// Positive draws computed by their logarithms. In: a graph and a node of it, such as `g / sum(g)` of gamma
// draws. Out: a node of the same value, whose products and quotients with exponentials of draws (gamma draws
// are some) are formed in log space where all parts are positive: nothing underflows or overflows on the way.
#pragma once
#include <set>

#include "compiler/semantics/build.h"

namespace semantics {

/// `positive`: the variables of the graph (by node) that are known to be positive.
NodeId in_log_space(Build& build, NodeId root, const std::set<int32_t>& positive);

}  // namespace semantics
