#include "compiler/semantics/families/complete_square.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "compiler/semantics/families/logistic_term.h"
#include "compiler/semantics/graph/polynomial.h"

namespace semantics {

namespace {

using Square = FamilyTemplate::Square;
using Term = FamilyTemplate::Term;

std::vector<int64_t> own_axes(const Build& build, const FamilyTemplate& t, NodeId node) {
  std::vector<int64_t> axes(build.shape(node).size() - t.positions.size());
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

class SquareFinder {
 public:
  SquareFinder(Build& build, FamilyTemplate& t) : build_(build), t_(t) {}

  void run() {
    for (size_t i = 0; i < t_.terms.size(); ++i)
      for (size_t j = 0; j < t_.terms.size(); ++j)
        if (i != j && !in_square(t_, i) && !in_square(t_, j)) complete_pair(i, j);
    for (size_t i = 0; i < t_.terms.size(); ++i)
      if (!in_square(t_, i)) complete_with_base(i);
  }

 private:
  /// A polynomial at each position: the sum of `inner` over the own axes, plus `rest`.
  struct Parts {
    Polynomial inner, rest;
  };

  /// For a scalar family, `inner` is the whole polynomial.
  Parts parts_of(Algebra& algebra, NodeId whole, const Term& term) {
    Parts parts;
    if (!term.vector) return {algebra.of(whole), {}};
    const auto axes = own_axes(build_, t_, term.statistic);
    for (const auto& [monomial, coefficient] : algebra.of(whole)) {
      const NodeId base = monomial.powers.size() == 1 ? NodeId{monomial.powers.begin()->first} : NodeId{};
      const Node node = base ? (*build_.graph)[base] : Node{};
      const bool sum = base && monomial.exponent.empty() && monomial.powers.begin()->second == 1 &&
                       node.op == Op::sum && node.ints == axes &&
                       build_.shape(node.inputs[0]) == build_.shape(term.statistic);
      if (sum)
        parts.inner = add(std::move(parts.inner), algebra.of(node.inputs[0]), coefficient);
      else
        parts.rest[monomial] = coefficient;
    }
    return parts;
  }

  NodeId join(Algebra& algebra, const Parts& parts, const Term& term) {
    const NodeId inner = algebra.node_of(parts.inner, build_.shape(term.statistic));
    if (!term.vector) return inner;
    return build_.add(algebra.node_of(parts.rest, t_.positions), sum_own_axes(build_, t_, inner));
  }

  /// The square from `curvature` and the natural parameter of term i; none if it does not make the
  /// log-partition shorter.
  std::optional<Square> square_of(Algebra& algebra, size_t i, const Polynomial& curvature) {
    const Term& term = t_.terms[i];
    const Polynomial natural = algebra.of(term.natural);
    const auto ratio = divide(natural, curvature);
    if (!ratio) return std::nullopt;
    Parts parts = parts_of(algebra, t_.rest_partition, term);
    const size_t before = parts.inner.size();
    parts.inner = add(std::move(parts.inner), multiply(natural, *ratio), 0.25);
    if (parts.inner.size() >= before) return std::nullopt;
    t_.rest_partition = join(algebra, parts, term);
    Square square;
    square.linear = i;
    square.statistic = term.statistic;
    square.vector = term.vector;
    const Shape shape = build_.shape(term.statistic);
    square.curvature = algebra.node_of(curvature, shape);
    square.centre = algebra.node_of(add({}, *ratio, -0.5), shape);
    return square;
  }

  void complete_pair(size_t i, size_t j) {
    const Term &term = t_.terms[i], &other = t_.terms[j];
    if (term.vector != other.vector || build_.shape(term.statistic) != build_.shape(other.statistic)) return;
    Algebra algebra(build_);
    const auto squared = power(algebra.product_of(term.statistic), 2);
    const auto ratio = squared ? divide(algebra.product_of(other.statistic), *squared) : std::nullopt;
    const auto scale = ratio ? number_of(*ratio) : std::nullopt;
    if (!scale || *scale == 0) return;
    auto square = square_of(algebra, i, add({}, algebra.of(other.natural), *scale));
    if (!square) return;
    square->quadratic = j;
    square->scale = *scale;
    t_.squares.push_back(*square);
  }

  /// Completes a square with a term of log_base: a negative number times t^2.
  void complete_with_base(size_t i) {
    const Term& term = t_.terms[i];
    Algebra plain(build_);
    const bool whole = plain.of(term.statistic).size() == 1;
    Algebra algebra(build_, whole ? std::set<int32_t>{} : std::set<int32_t>{term.statistic.index});
    const Polynomial statistic = algebra.of(term.statistic);
    const auto squared = power(statistic, 2);
    if (!squared || squared->size() != 1 || number_of(*squared)) return;
    Parts base = parts_of(algebra, t_.rest_base, term);
    const auto found = base.inner.find(squared->begin()->first);
    if (found == base.inner.end() || !(found->second < 0)) return;
    const Polynomial curvature = {{Monomial{}, found->second / squared->begin()->second}};
    const auto square = square_of(algebra, i, curvature);
    if (!square) return;
    base.inner.erase(found);
    t_.rest_base = join(algebra, base, term);
    t_.squares.push_back(*square);
  }

  Build& build_;
  FamilyTemplate& t_;
};

/// Finds the moments of a square from parameters on which only this square depends.
class MomentFinder {
 public:
  MomentFinder(Build& build, FamilyTemplate& t) : build_(build), t_(t) {}

  void run(Square& square) {
    for (const auto& parameter : t_.parameters)
      if (moves(square.centre, parameter.node, square) && !depends(square.curvature, parameter.node) &&
          !depends(t_.rest_partition, parameter.node) && !others_depend(square, parameter.node))
        square.centred = true;
    if (!square.centred) return;
    for (const auto& parameter : t_.parameters) {
      if (square.variance || !moves(square.curvature, parameter.node, square) ||
          others_depend(square, parameter.node))
        continue;
      // 0 = E d log p / d theta = curvature' variance - rest_partition', because E (statistic - centre) is 0.
      Algebra algebra(build_);
      const NodeId above = derivative(build_, t_.rest_partition, parameter.node);
      const NodeId below = derivative(build_, square.curvature, parameter.node);
      const auto ratio = divide(algebra.of(above), algebra.of(below));
      square.variance =
          ratio ? algebra.node_of(*ratio, build_.shape(square.statistic)) : build_.divide(above, below);
    }
    give_means(square);
  }

 private:
  bool depends(NodeId node, NodeId parameter) const { return depends_on(t_.graph, node, parameter); }

  bool moves(NodeId node, NodeId parameter, const Square& square) const {
    return build_.shape(parameter) == build_.shape(square.statistic) && depends(node, parameter) &&
           elementwise_in(t_.graph, node, parameter);
  }

  bool others_depend(const Square& square, NodeId parameter) const {
    for (size_t i = 0; i < t_.terms.size(); ++i)
      if (i != square.linear && i != square.quadratic && depends(t_.terms[i].natural, parameter)) return true;
    return false;
  }

  void give_means(const Square& square) {
    Term& linear = t_.terms[square.linear];
    if (linear.own_statistic == linear.statistic) linear.mean = square.centre;
    if (!square.quadratic || !square.variance) return;
    Term& quadratic = t_.terms[*square.quadratic];
    if (quadratic.own_statistic == quadratic.statistic)
      quadratic.mean = build_.scale(
          build_.add(build_.multiply(square.centre, square.centre), square.variance), square.scale);
  }

  Build& build_;
  FamilyTemplate& t_;
};

}  // namespace

bool in_square(const FamilyTemplate& t, size_t term) {
  return std::any_of(t.squares.begin(), t.squares.end(),
                     [&](const Square& square) { return square.linear == term || square.quadratic == term; });
}

NodeId sum_own_axes(Build& build, const FamilyTemplate& t, NodeId node) {
  return build.reduce(Op::sum, node, own_axes(build, t, node));
}

void complete_squares(Build& build, FamilyTemplate& t) {
  t.rest_partition = t.log_partition;
  t.rest_base = t.log_base;
  SquareFinder(build, t).run();
}

void derive_square_moments(Build& build, FamilyTemplate& t) {
  for (Square& square : t.squares) MomentFinder(build, t).run(square);
}

NodeId arrange_density(Build& build, const FamilyTemplate& t) {
  // For size 1, the plain terms cancel with an error of one rounding of the logit, and need fewer operations.
  if (const auto size = logistic_size(t); size && *size > 1)
    return build.add(logistic_exponent(build, t, *size), t.rest_base);
  NodeId exponent = build.filled(0, t.positions);
  const auto include = [&](NodeId product, bool vector) {
    exponent = build.add(exponent, vector ? sum_own_axes(build, t, product) : product);
  };
  for (size_t i = 0; i < t.terms.size(); ++i)
    if (!in_square(t, i))
      include(build.multiply(t.terms[i].statistic, t.terms[i].natural), t.terms[i].vector);
  for (const Square& square : t.squares) {
    const NodeId away = build.subtract(square.statistic, square.centre);
    include(build.multiply(square.curvature, build.multiply(away, away)), square.vector);
  }
  return build.add(build.subtract(exponent, t.rest_partition), t.rest_base);
}

// The sum of stop(gradient) (leaf - stop(leaf)) is 0 and has this gradient. After differentiation, simplify
// removes the sum.
NodeId with_derived_gradient(Build& build, const FamilyTemplate& t) {
  const auto stop = [&](NodeId node) { return build.pointwise(Op::stop, {node}); };
  NodeId result = stop(t.declared);
  std::vector<NodeId> leaves = {t.x};
  for (const auto& parameter : t.parameters) leaves.push_back(parameter.node);
  for (const NodeId leaf : leaves) {
    const NodeId gradient = derivative(build, t.derived, leaf);
    if (build.constant_of(gradient) == 0) continue;
    const NodeId away = build.subtract(leaf, stop(leaf));
    result = build.add(result, sum_own_axes(build, t, build.multiply(stop(gradient), away)));
  }
  return result;
}

}  // namespace semantics
