// Nodes with other nodes in place of leaves. In: roots of a graph, and what is replaced. Out: the roots'
// copies, added to the graph; what depends on no replaced leaf is shared.
#pragma once
#include <functional>
#include <map>
#include <vector>

#include "compiler/semantics/graph.h"

namespace semantics {

/// A node for each variable that is replaced.
std::vector<NodeId> substitute(Graph& graph, const std::vector<NodeId>& roots,
                               const std::map<VariableId, NodeId>& replacements);

/// The moving averages in place of those parameters that are `averaged`.
std::vector<NodeId> substitute_averages(Graph& graph, const std::vector<NodeId>& roots,
                                        const std::function<bool(ParameterId)>& averaged);

}  // namespace semantics
