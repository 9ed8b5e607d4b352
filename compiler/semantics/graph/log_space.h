// Computes positive draws through their logarithms. In: a graph and a node of it, such as `g / sum(g)` of
// Gamma draws. Out: a node with the same value. Products and quotients with exponentials of draws, such as
// Gamma draws, are formed in log space if all parts are positive. Then nothing underflows or overflows.
#pragma once
#include <set>

#include "compiler/semantics/graph/build.h"

namespace semantics {

/// `positive`: the nodes of variables that are known to be positive.
NodeId in_log_space(Build& build, NodeId root, const std::set<int32_t>& positive);

}  // namespace semantics
