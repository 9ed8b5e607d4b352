// Entropies and divergences of conditionals in closed form, where their families close under them. In: a
// model's conditionals. Out: nodes of the model's graph, one number per row, of the parents' variables and
// the players' parameters; gradients flow through all of it. None where the declaration does not determine
// the value.
#pragma once
#include "compiler/semantics/model.h"

namespace semantics {

/// -E_q log q(v | parents), in nats (of a density: relative to the variable's own measure).
NodeId expand_entropy(Model& model, const Conditional& q);

/// E_q [log q(v) - log p(v)], for two conditionals of one variable and one family with equal fixed
/// parameters.
NodeId expand_kl(Model& model, const Conditional& q, const Conditional& p);

}  // namespace semantics
