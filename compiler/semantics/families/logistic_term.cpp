#include "compiler/semantics/families/logistic_term.h"

#include "compiler/semantics/graph/polynomial.h"

namespace semantics {
namespace {

NodeId negate(Build& b, NodeId x) { return b.pointwise(Op::negate, {x}); }

NodeId is_above(Build& b, NodeId x) { return b.pointwise(Op::greater, {x, b.constant(0)}); }

/// x if `turned_by` is above 0, otherwise -x. With x itself as `turned_by` this is |x|, with the same
/// derivative at 0 as for other x.
NodeId turned(Build& b, NodeId x, NodeId turned_by) {
  return b.pointwise(Op::where, {is_above(b, turned_by), x, negate(b, x)});
}

NodeId softplus_below(Build& b, NodeId x) { return b.pointwise(Op::softplus, {negate(b, x)}); }

}  // namespace

std::optional<double> logistic_size(const FamilyTemplate& t) {
  if (t.terms.size() != 1 || t.terms[0].vector) return std::nullopt;
  Graph graph = t.graph;  // a copy: the nodes that the algebra adds are not needed
  Build build{&graph, {}};
  Algebra algebra(build);
  const Polynomial partition = algebra.of(t.log_partition);
  if (partition.size() != 1) return std::nullopt;
  const auto& [monomial, size] = *partition.begin();
  if (!(size > 0) || !monomial.exponent.empty() || monomial.powers.size() != 1) return std::nullopt;
  const auto& [atom, power] = *monomial.powers.begin();
  const Node node = graph[NodeId{atom}];  // a copy, because adding nodes moves the others
  if (power != 1 || node.op != Op::softplus) return std::nullopt;
  if (algebra.of(node.inputs[0]) != algebra.of(t.terms[0].natural)) return std::nullopt;
  return size;
}

NodeId logistic_exponent(Build& b, const FamilyTemplate& t, double number) {
  const NodeId n = t.terms[0].natural, size = b.constant(number);
  const NodeId certain = b.pointwise(Op::where, {is_above(b, n), size, b.constant(0)});
  const NodeId product = b.multiply(n, b.subtract(t.terms[0].statistic, certain));
  return b.subtract(product, b.multiply(size, softplus_below(b, turned(b, n, n))));
}

// Uses E t - size [n > 0] = -sign(n) size sigmoid(-|n|).
NodeId logistic_entropy(Build& b, const FamilyTemplate& t, double size) {
  const NodeId n = t.terms[0].natural, a = turned(b, n, n);
  const NodeId unlikely = b.pointwise(Op::sigmoid, {negate(b, a)});
  return b.scale(b.add(b.multiply(a, unlikely), softplus_below(b, a)), size);
}

// If n_q < 0, both natural parameters are negated; this does not change the divergence.
NodeId logistic_divergence(Build& b, double size, NodeId of_q, NodeId of_p) {
  const NodeId a = turned(b, of_q, of_q), other = turned(b, of_p, of_q);
  const NodeId unlikely = b.pointwise(Op::sigmoid, {negate(b, a)});
  const NodeId partitions = b.subtract(softplus_below(b, other), softplus_below(b, a));
  return b.scale(b.add(b.multiply(b.subtract(other, a), unlikely), partitions), size);
}

}  // namespace semantics
