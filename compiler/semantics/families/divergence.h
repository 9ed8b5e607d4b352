// Entropies and divergences of conditionals, if their families give them in closed form. In: conditionals
// whose arguments are nodes of a graph. Out: nodes that are added to this graph, with one number per row.
// They depend on the parents' variables and the players' parameters, and gradients flow through them. None if
// the declaration does not determine the value.
#pragma once
#include "compiler/semantics/model.h"

namespace semantics {

/// -E_q log q(v | parents), in nats. For a density, it is relative to the variable's own measure.
NodeId expand_entropy(Graph& graph, const Conditional& q);

/// E_q [log q(v) - log p(v)], for two conditionals with the same variable, family and fixed parameters.
NodeId expand_kl(Graph& graph, const Conditional& q, const Conditional& p);

}  // namespace semantics
