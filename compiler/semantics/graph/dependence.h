// What a node of the graph, or the whole graph, depends on.
#pragma once
#include "compiler/semantics/graph/graph.h"

namespace semantics {

/// Whether `root` depends on nothing: no variable, parameter, column or draw.
bool is_constant(const Graph& graph, NodeId root);

/// Whether a node is the moving average of a parameter (its `ints` are {1}). It is a constant for every
/// player, so parameters_of does not include it.
inline bool is_average(const Node& node) { return node.op == Op::parameter && !node.ints.empty(); }

/// Whether the graph has a node that is the moving average of a parameter.
bool reads_averages(const Graph& graph);

}  // namespace semantics
