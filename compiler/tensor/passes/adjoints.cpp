#include "compiler/tensor/passes/adjoints.h"

#include <algorithm>
#include <numbers>
#include <stdexcept>

namespace tensor {

void Reverse::give(ValueId input, ValueId part) {
  const auto found = adjoints_.find(input.index);
  if (found == adjoints_.end()) return;
  found->second = found->second ? emit.add(found->second, part) : part;
}

namespace {

/// What a rule reads, for y = op(a, b, c).
struct Rule {
  Reverse& reverse;
  const Value& value;
  ValueId y, y_adjoint;
  Emit& e = reverse.emit;
  ValueId a() const { return value.inputs[0]; }
  ValueId b() const { return value.inputs[1]; }
  void give(size_t input, ValueId part) const { reverse.give(value.inputs[input], part); }
  /// Chain rule of a pointwise operation: the input's adjoint grows by y_adjoint times the derivative.
  void chain(size_t input, ValueId derivative) const { give(input, e.multiply(y_adjoint, derivative)); }
  ValueId one() const { return e.constant(1, value.shape); }
};

#define ADJOINT(name) [[maybe_unused]] void adjoint_of_##name(const Rule& r)
// Operations that pass no gradient on. Their derivative is zero wherever it exists, or they have none by
// definition (stop, draws).
#define FLAT(name) \
  ADJOINT(name) { (void)r; }

// Leaves have no inputs; the reverse sweep ends there.
FLAT(constant)
FLAT(variable)
FLAT(parameter)
FLAT(column)
FLAT(iota)
FLAT(input)
FLAT(coefficient)

ADJOINT(negate) { r.give(0, r.e.negate(r.y_adjoint)); }
ADJOINT(exp) { r.chain(0, r.y); }
ADJOINT(log) { r.give(0, r.e.divide(r.y_adjoint, r.a())); }
ADJOINT(log1p) { r.give(0, r.e.divide(r.y_adjoint, r.e.pointwise(Op::add, r.a(), 1.0))); }
ADJOINT(sqrt) { r.give(0, r.e.divide(r.e.pointwise(Op::multiply, r.y_adjoint, 0.5), r.y)); }
ADJOINT(abs) {
  r.chain(0, r.e.subtract(r.e.pointwise(Op::greater, r.a(), 0.0), r.e.pointwise(Op::less, r.a(), 0.0)));
}
ADJOINT(relu) { r.chain(0, r.e.pointwise(Op::greater, r.y, 0.0)); }
// 1 - tanh^2.
ADJOINT(tanh) { r.chain(0, r.e.subtract(r.one(), r.e.multiply(r.y, r.y))); }
ADJOINT(sigmoid) { r.chain(0, r.e.multiply(r.y, r.e.subtract(r.one(), r.y))); }
// softplus' = sigmoid: softplus is the log-partition of Bernoulli, and its derivative is the mean of the
// statistic.
ADJOINT(softplus) { r.chain(0, r.e.pointwise(Op::sigmoid, r.a())); }
// erf'(x) = 2 / sqrt(pi) exp(-x^2).
ADJOINT(erf) {
  const ValueId density = r.e.pointwise(Op::exp, r.e.negate(r.e.multiply(r.a(), r.a())));
  r.chain(0, r.e.pointwise(Op::multiply, density, 2 * std::numbers::inv_sqrtpi));
}
ADJOINT(sin) { r.chain(0, r.e.pointwise(Op::cos, r.a())); }
ADJOINT(cos) { r.chain(0, r.e.negate(r.e.pointwise(Op::sin, r.a()))); }
FLAT(floor)
ADJOINT(lgamma) { r.chain(0, r.e.pointwise(Op::digamma, r.a())); }
ADJOINT(digamma) { r.chain(0, r.e.pointwise(Op::trigamma, r.a())); }
ADJOINT(trigamma) {
  (void)r;
  throw std::logic_error("trigamma stands only in derivatives and is not differentiated again");
}
ADJOINT(log_i0) { r.chain(0, r.e.pointwise(Op::i1_over_i0, r.a())); }
// A(x) = I1 / I0 has A' = 1 - A / x - A^2 (from I1' = I0 - I1 / x). At x = 0, A / x and A' are 1/2.
ADJOINT(i1_over_i0) {
  const ValueId at_zero = r.e.pointwise(Op::equal, r.a(), 0.0);
  const ValueId safe = r.e.pointwise(Op::where, {at_zero, r.one(), r.a()});
  const ValueId ratio =
      r.e.pointwise(Op::where, {at_zero, r.e.constant(0.5, r.value.shape), r.e.divide(r.y, safe)});
  r.chain(0, r.e.subtract(r.e.subtract(r.one(), ratio), r.e.multiply(r.y, r.y)));
}
FLAT(logical_not)

ADJOINT(add) {
  r.give(0, r.y_adjoint);
  r.give(1, r.y_adjoint);
}
ADJOINT(subtract) {
  r.give(0, r.y_adjoint);
  r.give(1, r.e.negate(r.y_adjoint));
}
ADJOINT(multiply) {
  r.chain(0, r.b());
  r.chain(1, r.a());
}
ADJOINT(divide) {
  const ValueId part = r.e.divide(r.y_adjoint, r.b());
  r.give(0, part);
  r.give(1, r.e.negate(r.e.multiply(part, r.y)));
}
// y = a - b floor(a / b).
ADJOINT(modulo) {
  r.give(0, r.y_adjoint);
  r.chain(1, r.e.negate(r.e.pointwise(Op::floor, r.e.divide(r.a(), r.b()))));
}
// The derivative by the exponent, a^b log a, is taken as 0 where `a` is not positive.
ADJOINT(power) {
  if (r.reverse.wants(r.a())) {
    const ValueId lower = r.e.pointwise(Op::power, r.a(), r.e.subtract(r.b(), r.one()));
    r.chain(0, r.e.multiply(r.b(), lower));
  }
  if (r.reverse.wants(r.b())) {
    const ValueId positive = r.e.pointwise(Op::greater, r.a(), 0.0);
    const ValueId safe = r.e.pointwise(Op::where, {positive, r.a(), r.one()});
    r.chain(1, r.e.multiply(r.y, r.e.pointwise(Op::log, safe)));
  }
}
/// The share of the adjoint that goes to `first`, where y is the one of the two inputs for which `wins`
/// holds. On a tie each input gets half.
ValueId share(const Rule& r, Op wins, ValueId first, ValueId second) {
  const ValueId tie = r.e.pointwise(Op::multiply, r.e.pointwise(Op::equal, first, second), 0.5);
  return r.e.add(r.e.pointwise(wins, first, second), tie);
}
ADJOINT(minimum) {
  r.chain(0, share(r, Op::less, r.a(), r.b()));
  r.chain(1, share(r, Op::less, r.b(), r.a()));
}
ADJOINT(maximum) {
  r.chain(0, share(r, Op::greater, r.a(), r.b()));
  r.chain(1, share(r, Op::greater, r.b(), r.a()));
}
// atan2(a, b): d/da = b / (a^2 + b^2), d/db = -a / (a^2 + b^2).
ADJOINT(atan2) {
  const ValueId norm = r.e.add(r.e.multiply(r.a(), r.a()), r.e.multiply(r.b(), r.b()));
  r.chain(0, r.e.divide(r.b(), norm));
  r.chain(1, r.e.negate(r.e.divide(r.a(), norm)));
}
FLAT(less)
FLAT(less_equal)
FLAT(greater)
FLAT(greater_equal)
FLAT(equal)
FLAT(not_equal)
FLAT(logical_and)
FLAT(logical_or)
ADJOINT(where) {
  const ValueId zero = r.e.constant(0, r.value.shape);
  r.give(1, r.e.pointwise(Op::where, {r.a(), r.y_adjoint, zero}));
  r.give(2, r.e.pointwise(Op::where, {r.a(), zero, r.y_adjoint}));
}
FLAT(stop)
FLAT(uniform)
FLAT(normal)
FLAT(gumbel)
FLAT(gamma_log)
FLAT(beta)
FLAT(poisson)
FLAT(binomial)
FLAT(von_mises)

ADJOINT(reshape) { r.give(0, r.e.reshape(r.y_adjoint, r.reverse.shape(r.a()))); }
ADJOINT(transpose) {
  std::vector<int64_t> inverse(r.value.ints.size());
  for (size_t i = 0; i < inverse.size(); ++i)
    inverse[static_cast<size_t>(r.value.ints[i])] = static_cast<int64_t>(i);
  r.give(0, r.e.transpose(r.y_adjoint, inverse));
}
ADJOINT(broadcast) {
  const Shape from = r.reverse.shape(r.a());
  std::vector<int64_t> summed;
  std::vector<int64_t> kept;  // the axes of the result that remain, ascending
  for (size_t axis = 0; axis < r.value.shape.size(); ++axis) {
    const auto at = std::ranges::find(r.value.ints, static_cast<int64_t>(axis));
    const bool stays = at != r.value.ints.end() &&
                       from[static_cast<size_t>(at - r.value.ints.begin())] == r.value.shape[axis];
    (stays ? kept : summed).push_back(static_cast<int64_t>(axis));
  }
  ValueId part = summed.empty() ? r.y_adjoint : r.e.reduce(Op::sum, r.y_adjoint, summed);
  std::vector<int64_t> order;  // the remaining axes of the input, as axes of `part`
  for (size_t i = 0; i < from.size(); ++i) {
    const auto at = std::ranges::find(kept, r.value.ints[i]);
    if (at != kept.end()) order.push_back(at - kept.begin());
  }
  if (!std::ranges::is_sorted(order)) part = r.e.transpose(part, order);
  r.give(0, r.e.reshape(part, from));
}
ADJOINT(slice) {
  const Shape from = r.reverse.shape(r.a());
  ValueId part = r.y_adjoint;
  for (size_t axis = 0; axis < from.size(); ++axis) {
    if (from[axis].batch >= 0) continue;
    const int64_t begin = r.value.ints[2 * axis], end = r.value.ints[2 * axis + 1];
    Shape shape = r.reverse.shape(part);
    std::vector<ValueId> pieces;
    auto zeros = [&](int64_t length) {
      if (length == 0) return;
      Shape zero_shape = shape;
      zero_shape[axis].size = length;
      pieces.push_back(r.e.constant(0, zero_shape));
    };
    zeros(begin);
    pieces.push_back(part);
    zeros(from[axis].size - end);
    if (pieces.size() == 1) continue;
    shape[axis].size = from[axis].size;
    part = r.e.operation(Op::concat, pieces, shape, {static_cast<int64_t>(axis)});
  }
  r.give(0, part);
}
ADJOINT(concat) {
  const auto axis = static_cast<size_t>(r.value.ints[0]);
  int64_t begin = 0;
  for (size_t i = 0; i < r.value.inputs.size(); ++i) {
    const Shape to = r.reverse.shape(r.value.inputs[i]);
    std::vector<int64_t> ends;
    for (size_t d = 0; d < to.size(); ++d) {
      ends.push_back(d == axis ? begin : 0);
      ends.push_back((d == axis ? begin : 0) + to[d].size);
    }
    begin += to[axis].size;
    if (r.reverse.wants(r.value.inputs[i])) r.give(i, r.e.operation(Op::slice, {r.y_adjoint}, to, ends));
  }
}

/// Stretches a reduction's result, or its adjoint, back over the axes that the reduction dropped.
ValueId spread(const Rule& r, ValueId reduced) {
  const Shape from = r.reverse.shape(r.a());
  std::vector<int64_t> map;
  for (size_t axis = 0; axis < from.size(); ++axis) {
    if (std::ranges::count(r.value.ints, static_cast<int64_t>(axis)) == 0)
      map.push_back(static_cast<int64_t>(axis));
  }
  return r.e.broadcast(reduced, from, map);
}
ADJOINT(sum) { r.give(0, spread(r, r.y_adjoint)); }
/// Elements that tie for the maximum or minimum share its adjoint equally.
void give_to_extremes(const Rule& r) {
  const ValueId extreme = r.e.pointwise(Op::equal, r.a(), spread(r, r.y));
  const ValueId ties = r.e.reduce(Op::sum, extreme, r.value.ints);
  r.give(0, r.e.multiply(extreme, spread(r, r.e.divide(r.y_adjoint, ties))));
}
ADJOINT(max) { give_to_extremes(r); }
ADJOINT(min) { give_to_extremes(r); }

// The library operations are bilinear and closed under differentiation.
ADJOINT(dense) {
  if (r.reverse.wants(r.a()))
    r.give(0, r.e.operation(Op::dense_data, {r.y_adjoint, r.b()}, r.reverse.shape(r.a())));
  if (r.reverse.wants(r.b()))
    r.give(1, r.e.operation(Op::dense_weights, {r.y_adjoint, r.a()}, r.reverse.shape(r.b())));
}
ADJOINT(dense_data) {
  if (r.reverse.wants(r.a()))
    r.give(0, r.e.operation(Op::dense, {r.y_adjoint, r.b()}, r.reverse.shape(r.a())));
  if (r.reverse.wants(r.b()))
    r.give(1, r.e.operation(Op::dense_weights, {r.a(), r.y_adjoint}, r.reverse.shape(r.b())));
}
// W = a' b: da = b W', db = a W.
ADJOINT(dense_weights) {
  if (r.reverse.wants(r.a()))
    r.give(0, r.e.operation(Op::dense, {r.b(), r.y_adjoint}, r.reverse.shape(r.a())));
  if (r.reverse.wants(r.b()))
    r.give(1, r.e.operation(Op::dense_data, {r.a(), r.y_adjoint}, r.reverse.shape(r.b())));
}
ADJOINT(conv) {
  const auto& how = r.value.ints;
  if (r.reverse.wants(r.a()))
    r.give(0, r.e.operation(Op::conv_data, {r.y_adjoint, r.b()}, r.reverse.shape(r.a()), how));
  if (r.reverse.wants(r.b()))
    r.give(1, r.e.operation(Op::conv_weights, {r.a(), r.y_adjoint}, r.reverse.shape(r.b()), how));
}
ADJOINT(conv_data) {
  const auto& how = r.value.ints;
  if (r.reverse.wants(r.a()))
    r.give(0, r.e.operation(Op::conv, {r.y_adjoint, r.b()}, r.reverse.shape(r.a()), how));
  if (r.reverse.wants(r.b()))
    r.give(1, r.e.operation(Op::conv_weights, {r.y_adjoint, r.a()}, r.reverse.shape(r.b()), how));
}
ADJOINT(conv_weights) {
  const auto& how = r.value.ints;
  if (r.reverse.wants(r.a()))
    r.give(0, r.e.operation(Op::conv_data, {r.b(), r.y_adjoint}, r.reverse.shape(r.a()), how));
  if (r.reverse.wants(r.b()))
    r.give(1, r.e.operation(Op::conv, {r.a(), r.y_adjoint}, r.reverse.shape(r.b()), how));
}
// These operations do not occur in programs: build_step translates them, and verify refuses them.
FLAT(matmul)
FLAT(deconv)

template <void (*rule)(const Rule&)>
void apply(Reverse& reverse, const Value& value, ValueId y, ValueId y_adjoint) {
  rule(Rule{reverse, value, y, y_adjoint});
}

}  // namespace

AdjointRule adjoint_rule(Op op) {
  static const AdjointRule table[] = {
#define OPERATION(name, inputs, group) apply<adjoint_of_##name>,
#include "compiler/semantics/graph/operations.def"
#include "compiler/tensor/operations.def"
#undef OPERATION
  };
  return table[static_cast<size_t>(op)];
}

}  // namespace tensor
