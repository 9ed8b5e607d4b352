// Whether a node of the graph depends on anything that is not known when compiling.
#pragma once
#include "compiler/semantics/graph.h"

namespace semantics {

/// Whether `root` depends on nothing: no variable, parameter, column or draw.
bool is_constant(const Graph& graph, NodeId root);

}  // namespace semantics
