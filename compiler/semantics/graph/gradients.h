// The gradient of every operation, once: `derivative` applies the rules to expression graphs, and the pass
// `differentiate` to tensor programs. In: y = op(a, b, c) and the adjoint of y. Out: the parts of the inputs'
// adjoints that come through y. An operation without a rule does not compile, for either.
//
// The convention where a function has no derivative is PyTorch's: at a tie, `minimum` and `maximum` give half
// to each input, and `min` and `max` an equal part to each element that ties. abs' and relu' are 0 at 0.
// Steps, such as `floor` and comparisons, have the derivative 0 everywhere, and % has that of a - b floor(a /
// b).
#pragma once
#include <algorithm>
#include <numbers>
#include <stdexcept>
#include <vector>

#include "compiler/semantics/graph/graph.h"

namespace semantics::gradients {

/// A value in a rule, with the operators of arithmetic and a function for each pointwise operation. Each of
/// them adds an operation to what the engine builds.
template <class Engine>
struct Quantity {
  Engine* engine;
  typename Engine::Id id;
};

/// An input of an operation: a quantity, or a number that gets the shape of `like`.
template <class Engine>
typename Engine::Id id_of(const Quantity<Engine>&, const Quantity<Engine>& input) {
  return input.id;
}
template <class Engine>
typename Engine::Id id_of(const Quantity<Engine>& like, double input) {
  return like.engine->number(input, like.id);
}

/// The operation `op` on quantities and numbers. At least the first or the second is a quantity.
template <class Engine, class... Rest>
Quantity<Engine> pointwise(Op op, const Quantity<Engine>& first, const Rest&... rest) {
  return {first.engine, first.engine->pointwise(op, {first.id, id_of(first, rest)...})};
}
template <class Engine>
Quantity<Engine> pointwise(Op op, double first, const Quantity<Engine>& second) {
  return pointwise(op, Quantity<Engine>{second.engine, second.engine->number(first, second.id)}, second);
}

#define QUANTITY_leaf(name)
#define QUANTITY_random(name)
#define QUANTITY_shape(name)
#define QUANTITY_reduce(name)
#define QUANTITY_library(name)
#define QUANTITY_pointwise(name)                                              \
  template <class Engine, class... Rest>                                      \
  Quantity<Engine> name(const Quantity<Engine>& first, const Rest&... rest) { \
    return pointwise(Op::name, first, rest...);                               \
  }
#define OPERATION(name, inputs, group) QUANTITY_##group(name)
#include "compiler/semantics/graph/operations.def"
#undef OPERATION

#define OPERATOR(sign, op)                                                               \
  template <class Engine>                                                                \
  Quantity<Engine> operator sign(const Quantity<Engine>& a, const Quantity<Engine>& b) { \
    return pointwise(Op::op, a, b);                                                      \
  }                                                                                      \
  template <class Engine>                                                                \
  Quantity<Engine> operator sign(const Quantity<Engine>& a, double b) {                  \
    return pointwise(Op::op, a, b);                                                      \
  }                                                                                      \
  template <class Engine>                                                                \
  Quantity<Engine> operator sign(double a, const Quantity<Engine>& b) {                  \
    return pointwise(Op::op, a, b);                                                      \
  }
OPERATOR(+, add)
OPERATOR(-, subtract)
OPERATOR(*, multiply)
OPERATOR(/, divide)
#undef OPERATOR
template <class Engine>
Quantity<Engine> operator-(const Quantity<Engine>& a) {
  return pointwise(Op::negate, a);
}

/// What a rule reads and gives. An engine has the types Id and Shape and the functions that are called here
/// and in the rules; shapes are copied, because adding an operation moves the others.
template <class E>
struct Rule {
  using Engine = E;
  using Shape = typename E::Shape;
  E& engine;
  const std::vector<typename E::Id>& inputs;
  const std::vector<int64_t>& ints;  // see operations.def
  Quantity<E> y, y_adjoint;

  Quantity<E> input(size_t i) const { return {&engine, inputs[i]}; }
  Quantity<E> a() const { return input(0); }
  Quantity<E> b() const { return input(1); }
  Shape shape(const Quantity<E>& x) const { return engine.shape(x.id); }
  /// Whether the adjoint of an input is needed.
  bool wants(size_t i) const { return engine.wants(inputs[i]); }
  void give(size_t i, const Quantity<E>& part) const { engine.give(inputs[i], part.id); }
  /// The chain rule of a pointwise operation, where `derivative` is dy / d input.
  void chain(size_t i, const Quantity<E>& derivative) const { give(i, y_adjoint * derivative); }

  Quantity<E> reshape(const Quantity<E>& x, const Shape& to) const {
    return {&engine, engine.reshape(x.id, to)};
  }
  Quantity<E> transpose(const Quantity<E>& x, const std::vector<int64_t>& axes) const {
    return {&engine, engine.transpose(x.id, axes)};
  }
  /// Axis i of x becomes axis map[i] of the result; the others are stretched.
  Quantity<E> broadcast(const Quantity<E>& x, const Shape& to, const std::vector<int64_t>& map) const {
    return {&engine, engine.broadcast(x.id, to, map)};
  }
  Quantity<E> sum(const Quantity<E>& x, const std::vector<int64_t>& axes) const {
    return {&engine, engine.sum(x.id, axes)};
  }
};

/// The rule of an operation.
template <Op op>
struct Gradient;

#define GRADIENT(name)                              \
  template <>                                       \
  struct Gradient<Op::name> {                       \
    static constexpr bool is_step = false;          \
    template <class R>                              \
    static void apply([[maybe_unused]] const R& r); \
  };                                                \
  template <class R>                                \
  void Gradient<Op::name>::apply([[maybe_unused]] const R& r)

/// A step: its derivative is 0 wherever it exists, so it passes nothing on.
#define STEP(name)                        \
  template <>                             \
  struct Gradient<Op::name> {             \
    static constexpr bool is_step = true; \
    template <class R>                    \
    static void apply(const R&) {}        \
  };

GRADIENT(negate) { r.give(0, -r.y_adjoint); }
GRADIENT(exp) { r.chain(0, r.y); }
GRADIENT(log) { r.give(0, r.y_adjoint / r.a()); }
GRADIENT(log1p) { r.give(0, r.y_adjoint / (r.a() + 1)); }
GRADIENT(sqrt) { r.give(0, r.y_adjoint * 0.5 / r.y); }
GRADIENT(abs) {
  const auto above = greater(r.a(), 0);
  r.chain(0, above - less(r.a(), 0));
}
GRADIENT(relu) { r.chain(0, greater(r.y, 0)); }
GRADIENT(tanh) { r.chain(0, 1 - r.y * r.y); }
GRADIENT(sigmoid) { r.chain(0, r.y * (1 - r.y)); }
// softplus is the log-partition of Bernoulli, and its derivative is the mean of the statistic.
GRADIENT(softplus) { r.chain(0, sigmoid(r.a())); }
GRADIENT(erf) { r.chain(0, exp(-(r.a() * r.a())) * (2 * std::numbers::inv_sqrtpi)); }
GRADIENT(sin) { r.chain(0, cos(r.a())); }
GRADIENT(cos) { r.chain(0, -sin(r.a())); }
STEP(floor)
GRADIENT(lgamma) { r.chain(0, digamma(r.a())); }
GRADIENT(digamma) { r.chain(0, trigamma(r.a())); }
GRADIENT(trigamma) {
  throw std::logic_error("trigamma stands only in derivatives and is not differentiated again");
}
GRADIENT(log_i0) { r.chain(0, i1_over_i0(r.a())); }
// A(x) = I1 / I0 has A' = 1 - A / x - A^2 (from I1' = I0 - I1 / x). At x = 0, A / x and A' are 1/2.
GRADIENT(i1_over_i0) {
  const auto at_zero = equal(r.a(), 0);
  const auto safe = where(at_zero, 1, r.a());
  const auto ratio = where(at_zero, 0.5, r.y / safe);
  r.chain(0, 1 - ratio - r.y * r.y);
}
STEP(logical_not)

GRADIENT(add) {
  r.give(0, r.y_adjoint);
  r.give(1, r.y_adjoint);
}
GRADIENT(subtract) {
  r.give(0, r.y_adjoint);
  r.give(1, -r.y_adjoint);
}
GRADIENT(multiply) {
  r.chain(0, r.b());
  r.chain(1, r.a());
}
GRADIENT(divide) {
  const auto part = r.y_adjoint / r.b();
  r.give(0, part);
  r.give(1, -(part * r.y));
}
GRADIENT(modulo) {
  r.give(0, r.y_adjoint);
  r.chain(1, -floor(r.a() / r.b()));
}
// By the base, the derivative is 0 where b is 0, also at a = 0. By the exponent, a^b log a is taken as 0
// where `a` is not positive.
GRADIENT(power) {
  if (r.wants(0)) r.chain(0, where(equal(r.b(), 0), 0, r.b() * power(r.a(), r.b() - 1)));
  if (r.wants(1)) r.chain(1, r.y * log(where(greater(r.a(), 0), r.a(), 1)));
}
/// The share of the adjoint that `first` gets, where y is the one of the two inputs for which `wins` holds.
template <class E>
Quantity<E> share(Op wins, const Quantity<E>& first, const Quantity<E>& second) {
  const auto tie = equal(first, second) * 0.5;
  return pointwise(wins, first, second) + tie;
}
GRADIENT(minimum) {
  r.chain(0, share(Op::less, r.a(), r.b()));
  r.chain(1, share(Op::less, r.b(), r.a()));
}
GRADIENT(maximum) {
  r.chain(0, share(Op::greater, r.a(), r.b()));
  r.chain(1, share(Op::greater, r.b(), r.a()));
}
// atan2(a, b): d/da = b / (a^2 + b^2), d/db = -a / (a^2 + b^2).
GRADIENT(atan2) {
  const auto square = r.a() * r.a();
  const auto norm = square + r.b() * r.b();
  r.chain(0, r.b() / norm);
  r.chain(1, -(r.a() / norm));
}
// hypot(a, b) = r: d/da = a / r, d/db = b / r. Both are 0 at r = 0.
GRADIENT(hypot) {
  const auto length = where(equal(r.y, 0), 1, r.y);
  r.chain(0, r.a() / length);
  r.chain(1, r.b() / length);
}
STEP(less)
STEP(less_equal)
STEP(greater)
STEP(greater_equal)
STEP(equal)
STEP(not_equal)
STEP(logical_and)
STEP(logical_or)
GRADIENT(where) {
  r.give(1, where(r.a(), r.y_adjoint, 0));
  r.give(2, where(r.a(), 0, r.y_adjoint));
}
// A constant to gradients, by definition.
STEP(stop)

GRADIENT(reshape) { r.give(0, r.reshape(r.y_adjoint, r.shape(r.a()))); }
GRADIENT(transpose) {
  std::vector<int64_t> inverse(r.ints.size());
  for (size_t i = 0; i < inverse.size(); ++i)
    inverse[static_cast<size_t>(r.ints[i])] = static_cast<int64_t>(i);
  r.give(0, r.transpose(r.y_adjoint, inverse));
}
GRADIENT(broadcast) {
  const auto from = r.shape(r.a()), to = r.shape(r.y);
  const std::vector<int64_t> map = r.engine.map_of_broadcast(from, r.ints);
  std::vector<int64_t> summed;
  std::vector<int64_t> kept;  // the axes of the result that remain, ascending
  for (size_t axis = 0; axis < to.size(); ++axis) {
    const auto at = std::ranges::find(map, static_cast<int64_t>(axis));
    const bool stays = at != map.end() && from[static_cast<size_t>(at - map.begin())] == to[axis];
    (stays ? kept : summed).push_back(static_cast<int64_t>(axis));
  }
  auto part = summed.empty() ? r.y_adjoint : r.sum(r.y_adjoint, summed);
  std::vector<int64_t> order;  // the remaining axes of the input, as axes of `part`
  for (const int64_t axis : map) {
    const auto at = std::ranges::find(kept, axis);
    if (at != kept.end()) order.push_back(at - kept.begin());
  }
  if (!std::ranges::is_sorted(order)) part = r.transpose(part, order);
  r.give(0, r.reshape(part, from));
}
// Puts zeros around the adjoint, one axis after the other.
GRADIENT(slice) {
  const auto from = r.shape(r.a());
  auto part = r.y_adjoint;
  for (size_t axis = 0; axis < from.size(); ++axis) {
    if (R::Engine::is_rows(from[axis])) continue;
    std::vector<typename R::Engine::Id> pieces;
    const auto add_zeros = [&](int64_t length) {
      auto shape = r.shape(part);
      R::Engine::length(shape[axis]) = length;
      if (length > 0) pieces.push_back(r.engine.zeros(shape));
    };
    add_zeros(r.ints[2 * axis]);
    pieces.push_back(part.id);
    add_zeros(R::Engine::length(from[axis]) - r.ints[2 * axis + 1]);
    if (pieces.size() > 1) part.id = r.engine.concat(pieces, static_cast<int64_t>(axis));
  }
  r.give(0, part);
}
GRADIENT(concat) {
  const auto joined = static_cast<size_t>(r.ints[0]);
  int64_t begin = 0;
  for (size_t i = 0; i < r.inputs.size(); ++i) {
    auto to = r.shape(r.input(i));
    std::vector<int64_t> bounds;
    for (size_t axis = 0; axis < to.size(); ++axis) {
      const int64_t first = axis == joined ? begin : 0;
      bounds.push_back(first);
      bounds.push_back(first + R::Engine::length(to[axis]));
    }
    begin += R::Engine::length(to[joined]);
    if (r.wants(i)) r.give(i, {&r.engine, r.engine.slice(r.y_adjoint.id, bounds, to)});
  }
}

/// Stretches a reduction's result, or its adjoint, back over the axes that the reduction dropped.
template <class E>
Quantity<E> spread(const Rule<E>& r, const Quantity<E>& reduced) {
  const auto from = r.shape(r.a());
  std::vector<int64_t> map;
  for (int64_t axis = 0; axis < static_cast<int64_t>(from.size()); ++axis)
    if (std::ranges::count(r.ints, axis) == 0) map.push_back(axis);
  return r.broadcast(reduced, from, map);
}
GRADIENT(sum) { r.give(0, spread(r, r.y_adjoint)); }
template <class E>
void give_to_extremes(const Rule<E>& r) {
  const auto extreme = equal(r.a(), spread(r, r.y));
  const auto ties = r.sum(extreme, r.ints);
  r.give(0, extreme * spread(r, r.y_adjoint / ties));
}
GRADIENT(max) { give_to_extremes(r); }
GRADIENT(min) { give_to_extremes(r); }

#undef GRADIENT
#undef STEP

}  // namespace semantics::gradients
