// Entropies and divergences of conditionals, if their families give them in closed form. In: a model's
// conditionals. Out: nodes of the model's graph with one number per row. They depend on the parents'
// variables and the players' parameters, and gradients flow through them. None if the declaration does not
// determine the value.
#pragma once
#include "compiler/semantics/model.h"

namespace semantics {

/// -E_q log q(v | parents), in nats. For a density, it is relative to the variable's own measure.
NodeId expand_entropy(Model& model, const Conditional& q);

/// E_q [log q(v) - log p(v)], for two conditionals with the same variable, family and fixed parameters.
NodeId expand_kl(Model& model, const Conditional& q, const Conditional& p);

}  // namespace semantics
