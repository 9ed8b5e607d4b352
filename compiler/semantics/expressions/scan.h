// `scan(cell, xs, init)`: runs a net over the first axis of a tensor, with one set of parameters.
#pragma once
#include "compiler/semantics/expressions/evaluation.h"

namespace semantics {

/// In: a net `cell(state, x)`; a tensor, list or array variable, over whose first axis it runs; the first
/// state, which is a tensor or a tuple of tensors. Out: the states after each step, stacked along a new first
/// axis (for a tuple: a tuple of stacks). A number as `init` fills a state of the shape that `cell` gives.
/// Errors: `cell` is not a net, there is no axis, or the shape of the state changes.
Value scan(Evaluation& e, const Builtin::Call& call);

}  // namespace semantics
