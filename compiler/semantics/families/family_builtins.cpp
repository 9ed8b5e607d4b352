// The functions that only a family's body may call: draws, class indices, special functions.
#include <fmt/format.h>

#include <numbers>

#include "compiler/semantics/expressions/evaluation.h"

namespace semantics {

namespace {

using Call = Builtin::Call;

/// Without arguments, a draw has the shape of x as a tensor. With arguments, it has their shape.
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
    // If the arguments are known when compiling, there is still one draw at each position.
    if (shape.empty()) shape = e.frame->positions;
  }
  return e.from_node(e.build.random(op, inputs, shape), call.span);
}

/// A Gamma draw may be too small for float32. So products and quotients with it are computed from its
/// logarithm (log_space.h).
Value gamma(Evaluation& e, const Call& call) {
  Value log = draw<Op::gamma_log>(e, call);
  return log.kind == Value::Kind::tensor ? e.from_node(e.build.pointwise(Op::exp, {log.node}), call.span)
                                         : log;
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

/// Pointwise steps on values, for functions that are made of several operations.
struct Pointwise {
  Evaluation& e;
  const Call& call;
  Value operator()(Op op, const std::vector<Value>& inputs) const {
    return e.pointwise(op, call.name, inputs, call.span);
  }
  Value add(const Value& a, const Value& b) const { return (*this)(Op::add, {a, b}); }
  Value subtract(const Value& a, const Value& b) const { return (*this)(Op::subtract, {a, b}); }
  Value multiply(const Value& a, const Value& b) const { return (*this)(Op::multiply, {a, b}); }
  Value divide(const Value& a, const Value& b) const { return (*this)(Op::divide, {a, b}); }
  Value where(const Value& condition, const Value& a, const Value& b) const {
    return (*this)(Op::where, {condition, a, b});
  }
};

// x log(x / mean) + mean - x, after Loader 2000, "Fast and accurate computation of binomial probabilities".
// If x is near the mean, it uses log1p; if the ratio might overflow, the logarithms. At x = 0 the result is
// the mean.
Value deviance(Evaluation& e, const Call& call) {
  const Pointwise step{e, call};
  const Value &x = call.arguments[0], &mean = call.arguments[1], &log_mean = call.arguments[2];
  const Value tiny = real_value(1e-37);
  const Value away = step.subtract(x, mean);
  const Value near = step(Op::less, {step(Op::abs, {away}), step.multiply(real_value(0.5), mean)});
  const Value moderate = step(Op::less, {step(Op::abs, {log_mean}), real_value(60)});
  const Value ratio = step(Op::maximum, {step.divide(x, mean), tiny});
  const Value by_logs = step.subtract(step(Op::log, {step(Op::maximum, {x, tiny})}), log_mean);
  const Value far = step.where(moderate, step(Op::log, {ratio}), by_logs);
  const Value log_ratio = step.where(near, step(Op::log1p, {step.divide(away, mean)}), far);
  return step.subtract(step.multiply(x, log_ratio), away);
}

// lgamma(x + 1) - x log x + x, which is 0 at 0. From 10 on it uses Stirling's series (Abramowitz & Stegun
// 6.1.40); the first term left out is below 6e-11.
Value stirling(Evaluation& e, const Call& call) {
  const Pointwise step{e, call};
  const Value& x = call.arguments[0];
  const Value from = real_value(10), two_pi = real_value(2 * std::numbers::pi);
  const Value large = step(Op::maximum, {x, from}), small = step(Op::minimum, {x, from});
  const Value r = step.divide(real_value(1), step.multiply(large, large));
  const Value inner = step.subtract(real_value(1.0 / 360), step.multiply(r, real_value(1.0 / 1260)));
  const Value series = step.divide(step.subtract(real_value(1.0 / 12), step.multiply(r, inner)), large);
  const Value root = step.multiply(real_value(0.5), step(Op::log, {step.multiply(two_pi, large)}));
  const Value lgamma = step(Op::lgamma, {step.add(small, real_value(1))});
  const Value log_small = step(Op::log, {step(Op::maximum, {small, real_value(1e-37)})});
  const Value direct = step.subtract(lgamma, step.multiply(small, step.subtract(log_small, real_value(1))));
  return step.where(step(Op::less, {x, from}), direct, step.add(root, series));
}

}  // namespace

const std::vector<Builtin>& family_builtins() {
  static const std::vector<Builtin> table = [] {
    std::vector<Builtin> result = {
        {"uniform", "", draw<Op::uniform>},
        {"normal", "", draw<Op::normal>},
        {"gumbel", "", draw<Op::gumbel>},
        {"gamma", "shape", gamma},
        {"beta", "a b", draw<Op::beta>},
        {"poisson", "rate", draw<Op::poisson>},
        {"binomial", "n prob", draw<Op::binomial>},
        {"von_mises", "mean concentration", draw<Op::von_mises>},
        {"deviance", "x mean log_mean", deviance},
        {"stirling", "x", stirling},
        {"onehot", "index", onehot},
        {"argmax", "h", argmax},
    };
    const auto special = elementwise_builtins(Notation::Kind::family_function);
    result.insert(result.end(), special.begin(), special.end());
    return result;
  }();
  return table;
}

}  // namespace semantics
