// Nodes with other nodes in place of variables. In: roots of a graph, and a node for each variable that is
// replaced. Out: the roots' copies, added to the graph; what depends on no replaced variable is shared.
#pragma once
#include <map>
#include <vector>

#include "compiler/semantics/graph.h"

namespace semantics {

std::vector<NodeId> substitute(Graph& graph, const std::vector<NodeId>& roots,
                               const std::map<VariableId, NodeId>& replacements);

}  // namespace semantics
