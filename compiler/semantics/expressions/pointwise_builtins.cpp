// The element-wise functions of the language, on tensors and on compile-time numbers.
#include <numbers>

#include "compiler/semantics/expressions/evaluation.h"

namespace semantics {

namespace {

using Call = Builtin::Call;

/// Combines two or more arguments by a binary operation.
template <Op op>
Value folded(Evaluation& e, const Call& call) {
  if (call.arguments.size() < 2) {
    e.error(base::E0222, call.span, call.name, "two arguments or more", call.arguments.size());
    return {};
  }
  Value result = call.arguments[0];
  for (size_t i = 1; i < call.arguments.size(); ++i)
    result = e.pointwise(op, call.name, {result, call.arguments[i]}, call.span);
  return result;
}

/// Pointwise steps on values, for functions that are made of several operations.
struct Steps {
  Evaluation& e;
  const Call& call;
  Value operator()(Op op, const Value& a) const { return e.pointwise(op, call.name, {a}, call.span); }
  Value operator()(Op op, const Value& a, const Value& b) const {
    return e.pointwise(op, call.name, {a, b}, call.span);
  }
  Value operator()(Op op, const Value& a, double b) const { return (*this)(op, a, real_value(b)); }
  Value where(const Value& condition, const Value& a, const Value& b) const {
    return e.pointwise(Op::where, call.name, {condition, a, b}, call.span);
  }
};

Value square(Evaluation& e, const Call& call) {
  return Steps{e, call}(Op::multiply, call.arguments[0], call.arguments[0]);
}

// x Phi(x) without approximation (PyTorch's default).
Value gelu(Evaluation& e, const Call& call) {
  const Steps step{e, call};
  const Value& x = call.arguments[0];
  const Value phi = step(Op::add, step(Op::erf, step(Op::multiply, x, 1 / std::numbers::sqrt2)), 1.0);
  return step(Op::multiply, step(Op::multiply, x, 0.5), phi);
}

Value silu(Evaluation& e, const Call& call) {
  const Steps step{e, call};
  return step(Op::multiply, call.arguments[0], step(Op::sigmoid, call.arguments[0]));
}

Value elu(Evaluation& e, const Call& call) {
  const Steps step{e, call};
  const Value& x = call.arguments[0];
  // exp is applied to the negative part only, so it overflows for no x.
  const Value below = step(Op::subtract, step(Op::exp, step(Op::minimum, x, 0.0)), 1.0);
  const Value slope = call.arguments[1].kind == Value::Kind::none ? real_value(1) : call.arguments[1];
  return step.where(step(Op::greater, x, 0.0), x, step(Op::multiply, below, slope));
}

Value leaky_relu(Evaluation& e, const Call& call) {
  const Steps step{e, call};
  const Value& x = call.arguments[0];
  const Value slope = call.arguments[1].kind == Value::Kind::none ? real_value(0.01) : call.arguments[1];
  return step.where(step(Op::greater, x, 0.0), x, step(Op::multiply, x, slope));
}

}  // namespace

std::vector<Builtin> elementwise_builtins(Notation::Kind kind) {
  std::vector<Builtin> result;
  const auto add = [&](const Notation& notation, auto single, auto fold) {
    if (notation.kind == kind)
      result.push_back({notation.name, notation.parameters, notation.folds() ? fold : single});
  };
#define ELEMENTWISE(name, inputs, notation, ...) \
  add(Notation::notation, elementwise<Op::name>, folded<Op::name>);
#include "runtime/schema/elementwise.def"
  return result;
}

const std::vector<Builtin>& pointwise_builtins() {
  static const std::vector<Builtin> table = [] {
    std::vector<Builtin> result = elementwise_builtins(Notation::Kind::function);
#define ELEMENTWISE(...)
#define COMPOSED(name, parameters, otherwise, value, sentence) result.push_back({#name, parameters, name});
#include "runtime/schema/elementwise.def"
    return result;
  }();
  return table;
}

}  // namespace semantics
