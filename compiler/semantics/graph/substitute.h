// Replaces leaves of a graph by other nodes. In: roots of a graph, and the replacements. Out: copies of the
// roots, added to the graph. Nodes that depend on no replaced leaf are shared, not copied.
#pragma once
#include <functional>
#include <map>
#include <vector>

#include "compiler/semantics/graph/graph.h"

namespace semantics {

/// Replaces variables: each has its node in `replacements`.
std::vector<NodeId> substitute(Graph& graph, const std::vector<NodeId>& roots,
                               const std::map<VariableId, NodeId>& replacements);

/// Replaces the parameters for which `averaged` is true by their moving averages.
std::vector<NodeId> substitute_averages(Graph& graph, const std::vector<NodeId>& roots,
                                        const std::function<bool(ParameterId)>& averaged);

}  // namespace semantics
