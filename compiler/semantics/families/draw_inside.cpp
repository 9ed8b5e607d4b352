#include "compiler/semantics/families/draw_inside.h"

#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <set>

#include "compiler/semantics/graph/elementwise.h"
#include "compiler/semantics/graph/evaluate_numeric.h"
#include "compiler/semantics/graph/log_space.h"

namespace semantics {
namespace {

// Exponents of 2. Kernels may treat numbers below the least normal number as 0. The upper limit leaves space
// for sums of several such terms.
constexpr int least = 126, greatest = 124;
constexpr double least_normal = 0x1p-126;
constexpr double below_one = 1 - 0x1p-24;
constexpr double below_pi = 0x1.921fb4p+1;  // the greatest float32 below pi
constexpr double pi = std::numbers::pi;

/// Whether all intermediate values of the statistic and the log-base are finite in float32 at x = `value`.
/// They must also be small enough for a sum of several such terms.
bool is_finite_at(const FamilyTemplate& t, double value) {
  NumericEvaluator evaluate(t.graph, [&](const Node& node) {
    const bool is_x = node.index == t.graph[t.x].index;
    return Numbers(static_cast<size_t>(count(node.shape)), is_x ? value : 1);
  });
  std::vector<NodeId> roots = {t.log_base};
  for (const auto& term : t.terms) roots.push_back(term.own_statistic);
  for (const NodeId root : roots)
    for (int32_t i = 0; i <= root.index; ++i) {
      if (!depends_on(t.graph, root, NodeId{i}) || !depends_on(t.graph, NodeId{i}, t.x)) continue;
      for (const double number : evaluate(NodeId{i}))
        if (!(std::abs(number) <= std::ldexp(1.0, greatest))) return false;
    }
  return true;
}

/// sign 2^(direction k), where k is the greatest exponent up to `limit` at which the terms in x are finite.
/// Powers of x overflow only for a large k. If the terms are not finite even at k = 31, there is another
/// reason: then k is `limit`.
double outermost(const FamilyTemplate& t, double sign, int direction, int limit) {
  const auto at = [&](int k) { return sign * std::ldexp(1.0, direction * k); };
  int good = 31, bad = limit;
  if (is_finite_at(t, at(limit)) || !is_finite_at(t, at(good))) return at(limit);
  while (bad - good > 1) {
    const int middle = (good + bad) / 2;
    (is_finite_at(t, at(middle)) ? good : bad) = middle;
  }
  return at(good);
}

NodeId between(Build& b, double low, double high, NodeId x) {
  // A comparison with NaN is false and selects the second operand, so NaN stays.
  return b.pointwise(Op::maximum, {b.constant(low), b.pointwise(Op::minimum, {b.constant(high), x})});
}

NodeId nearest_whole(Build& b, NodeId x) {
  const Op op = (*b.graph)[x].op;
  if (op == Op::floor || op == Op::poisson) return x;
  return b.pointwise(Op::floor, {b.add(x, b.constant(0.5))});
}

/// Whether the node has the form of the result of Build::argmax.
bool is_argmax(const Graph& graph, NodeId id) {
  if (graph[id].op != Op::min) return false;
  const Node& choice = graph[graph[id].inputs[0]];
  return choice.op == Op::where && graph[choice.inputs[0]].op == Op::equal &&
         graph[choice.inputs[1]].op == Op::iota;
}

/// Adds whole turns, then moves x away from the ends: in float32, pi is greater than the real number pi.
NodeId on_the_circle(Build& b, NodeId x) {
  const NodeId finite = between(b, -0x1p62, 0x1p62, x);
  // x - 2 pi ceil((x - pi) / (2 pi)).
  const NodeId turns = b.pointwise(Op::floor, {b.scale(b.subtract(b.constant(pi), finite), 0.5 / pi)});
  return between(b, -below_pi, below_pi, b.add(finite, b.scale(turns, 2 * pi)));
}

NodeId on_the_simplex(Build& b, NodeId x, int64_t classes) {
  if (classes == 1) return b.filled(1, b.shape(x));
  const Shape full = b.shape(x);
  const NodeId share = between(b, least_normal, 0x1p100, x);
  const NodeId total = b.reduce(Op::sum, share, {0});
  return between(b, least_normal, below_one, b.divide(share, b.broadcast_along(total, 0, full)));
}

}  // namespace

NodeId draw_inside(Build& b, const FamilyTemplate& t, const Domain& domain, NodeId sample) {
  std::set<int32_t> positive;
  for (const auto& parameter : t.parameters)
    if (parameter.domain == DomainKind::positive || parameter.domain == DomainKind::unit ||
        parameter.domain == DomainKind::simplex)
      positive.insert(parameter.node.index);
  const NodeId x = in_log_space(b, sample, positive);
  const Op op = (*b.graph)[x].op;
  switch (domain.kind) {
    case DomainKind::binary:
      return is_truth(op) ? x : b.pointwise(Op::greater, {x, b.constant(0.5)});
    case DomainKind::category:
      return is_argmax(*b.graph, x)
                 ? x
                 : between(b, 0, static_cast<double>(domain.classes - 1), nearest_whole(b, x));
    case DomainKind::count:
      if (op == Op::binomial) return x;
      return between(b, 0, outermost(t, 1, 1, greatest), nearest_whole(b, x));
    case DomainKind::real: {
      const double high = outermost(t, 1, 1, greatest);
      return between(b, outermost(t, -1, 1, greatest), high, x);
    }
    case DomainKind::positive: {
      const double low = outermost(t, 1, -1, least);
      return between(b, low, outermost(t, 1, 1, greatest), x);
    }
    case DomainKind::unit:
      if (op == Op::uniform) return x;
      return between(b, outermost(t, 1, -1, least), below_one, x);
    case DomainKind::angle:
      return op == Op::von_mises ? x : on_the_circle(b, x);
    case DomainKind::simplex:
      return on_the_simplex(b, x, domain.classes);
  }
  return x;
}

}  // namespace semantics
