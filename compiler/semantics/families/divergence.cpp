#include "compiler/semantics/families/divergence.h"

#include <algorithm>

#include "compiler/semantics/families/complete_square.h"
#include "compiler/semantics/families/family_template.h"
#include "compiler/semantics/families/logistic_term.h"
#include "compiler/semantics/graph/build.h"
#include "compiler/semantics/graph/polynomial.h"

namespace semantics {
namespace {

/// Copies nodes of a family's template, with the arguments of one conditional in place of its parameters.
struct Placed {
  Build& build;
  const FamilyTemplate& t;
  std::unordered_map<int32_t, NodeId> nodes;

  Placed(Build& build, const FamilyTemplate& t, const Conditional& conditional) : build(build), t(t) {
    for (size_t i = 0; i < t.parameters.size(); ++i)
      nodes[t.parameters[i].node.index] = conditional.arguments[i];
  }
  NodeId operator()(NodeId node) { return build.copy(t.graph, node, nodes); }
};

bool depends_on_parameters(const FamilyTemplate& t, NodeId node) {
  return std::any_of(t.parameters.begin(), t.parameters.end(),
                     [&](const auto& parameter) { return depends_on(t.graph, node, parameter.node); });
}

}  // namespace

NodeId expand_entropy(Graph& graph, const Conditional& q) {
  if (!q.form->entropy) return {};
  Build build{&graph, q.span};
  return build.sum_all(Placed(build, *q.form, q)(q.form->entropy));
}

namespace {

/// Whether the divergence of a square has a closed form: its curvature does not depend on parameters, or its
/// variance is known.
bool is_closed(const FamilyTemplate& t, const FamilyTemplate::Square& square) {
  return square.centred && (square.variance || !depends_on_parameters(t, square.curvature));
}

/// E_q of curvature_q (t - centre_q)^2 - curvature_p (t - centre_p)^2.
NodeId divergence_of(const FamilyTemplate::Square& square, Placed& of_q, Placed& of_p, Algebra& algebra) {
  Build& build = of_q.build;
  const NodeId away = build.subtract(of_q(square.centre), of_p(square.centre));
  NodeId result =
      build.pointwise(Op::negate, {build.multiply(of_p(square.curvature), build.multiply(away, away))});
  if (!square.variance) return result;
  // Exponentials are multiplied symbolically first, so that they cancel before one overflows.
  const Polynomial variance = algebra.of(of_q(square.variance));
  const Polynomial of_own = multiply(algebra.of(of_q(square.curvature)), variance);
  const Polynomial of_other = multiply(algebra.of(of_p(square.curvature)), variance);
  return build.add(result, algebra.node_of(add(of_own, of_other, -1), build.shape(result)));
}

}  // namespace

// <natural_q - natural_p, E_q statistic> - log_partition_q + log_partition_p. The base measures cancel. In a
// square, differences are taken before products (complete_square.h).
NodeId expand_kl(Graph& graph, const Conditional& q, const Conditional& p) {
  if (q.form != p.form) return {};
  const FamilyTemplate& t = *q.form;
  Build build{&graph, q.span};
  Placed of_q(build, t, q), of_p(build, t, p);
  if (const auto size = logistic_size(t)) {
    const NodeId natural = t.terms[0].natural;
    const NodeId kl = logistic_divergence(build, *size, of_q(natural), of_p(natural));
    return build.sum_all(build.broadcast(kl, t.positions));
  }
  const bool squares = std::all_of(t.squares.begin(), t.squares.end(),
                                   [&](const auto& square) { return is_closed(t, square); });
  const NodeId log_partition = squares ? t.rest_partition : t.log_partition;
  NodeId kl = build.subtract(of_p(log_partition), of_q(log_partition));
  const auto include = [&](NodeId part, bool vector) {
    kl = build.add(kl, vector ? sum_own_axes(build, t, part) : part);
  };
  if (squares) {
    std::set<int32_t> arguments;
    for (const Conditional* conditional : {&q, &p})
      for (const NodeId argument : conditional->arguments) arguments.insert(argument.index);
    Algebra algebra(build, arguments);
    for (const auto& square : t.squares) include(divergence_of(square, of_q, of_p, algebra), square.vector);
  }
  for (size_t i = 0; i < t.terms.size(); ++i) {
    const auto& term = t.terms[i];
    if ((squares && in_square(t, i)) || !depends_on_parameters(t, term.natural)) continue;
    if (!term.stretched_mean) return {};
    include(build.multiply(build.subtract(of_q(term.natural), of_p(term.natural)), of_q(term.stretched_mean)),
            term.vector);
  }
  return build.sum_all(build.broadcast(kl, t.positions));
}

}  // namespace semantics
