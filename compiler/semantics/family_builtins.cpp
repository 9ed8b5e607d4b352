// What a family's body has besides the functions of section 6: draws, class indices, special functions.
#include <fmt/format.h>

#include "compiler/semantics/evaluation.h"

namespace semantics {

namespace {

using Call = Builtin::Call;

template <Op op>
Value direct(Evaluation& e, const Call& call) {
  return e.pointwise(op, call.name, call.arguments, call.span);
}

/// Without arguments a draw has the shape of x as a tensor, with arguments theirs.
template <Op op>
Value draw(Evaluation& e, const Call& call) {
  std::vector<NodeId> inputs;
  for (const Value& argument : call.arguments) {
    inputs.push_back(e.tensor(argument, call.span));
    if (!inputs.back()) return {};
  }
  if (!e.align(inputs, call.arguments, call.span)) return {};
  Shape shape = e.frame->variable_shape;
  if (!inputs.empty()) {
    shape = e.shape(inputs[0]);
    // Arguments known when compiling still draw anew at each position.
    if (shape.empty()) shape = e.frame->positions;
  }
  return e.from_node(e.build.random(op, inputs, shape), call.span);
}

Value onehot(Evaluation& e, const Call& call) {
  const NodeId index = e.tensor(call.arguments[0], call.span);
  if (!index) return {};
  if (e.frame->index && index == e.frame->index) return e.from_node(e.frame->one_hot, call.span);
  if (e.frame->classes == 0) {
    e.error(base::E0305, call.span, "onehot", "a family whose variable has no classes");
    return {};
  }
  return e.from_node(e.build.one_hot(e.build.broadcast(index, e.frame->positions), e.frame->classes),
                     call.span);
}

Value argmax(Evaluation& e, const Call& call) {
  const NodeId h = e.tensor(call.arguments[0], call.span);
  if (!h) return {};
  if (e.shape(h).size() != e.frame->positions.size() + 1) {
    e.error(base::E0302, call.span)
        .label(fmt::format("`argmax` takes a vector at each position; this gives {}", to_string(e.shape(h))));
    return {};
  }
  return e.from_node(e.build.argmax(h), call.span);
}

}  // namespace

const std::vector<Builtin>& family_builtins() {
  static const std::vector<Builtin> table = {
      {"uniform", "", draw<Op::uniform>},
      {"normal", "", draw<Op::normal>},
      {"gumbel", "", draw<Op::gumbel>},
      {"gamma", "shape", draw<Op::gamma>},
      {"beta", "a b", draw<Op::beta>},
      {"poisson", "rate", draw<Op::poisson>},
      {"binomial", "n prob", draw<Op::binomial>},
      {"von_mises", "mean concentration", draw<Op::von_mises>},
      {"lgamma", "x", direct<Op::lgamma>},
      {"digamma", "x", direct<Op::digamma>},
      {"log_i0", "x", direct<Op::log_i0>},
      {"onehot", "index", onehot},
      {"argmax", "h", argmax},
  };
  return table;
}

}  // namespace semantics
