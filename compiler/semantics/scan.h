// `scan(cell, xs, init)`: a net over the first axis of a tensor, with one set of parameters.
#pragma once
#include "compiler/semantics/evaluation.h"

namespace semantics {

/// In: a net `cell(state, x)`; a tensor, a list or an array variable, over whose first axis it runs; the
/// first state, a tensor or a tuple of tensors. Out: the states after each step, stacked on a new first axis
/// (of a tuple: a tuple of stacks). A number as `init` fills a state of the shape that `cell` gives. Errors:
/// no net, no axis, a state whose shape changes.
Value scan(Evaluation& e, const Builtin::Call& call);

}  // namespace semantics
