#include "compiler/semantics/families/expectation.h"

#include <algorithm>
#include <map>

#include "compiler/semantics/families/complete_square.h"
#include "compiler/semantics/families/logistic_term.h"
#include "compiler/semantics/graph/polynomial.h"

namespace semantics {
namespace {

/// Whether the equation of `parameter` can be used: all terms that depend on the parameter do so element by
/// element.
bool elementwise(const FamilyTemplate& t, const FamilyTemplate::Parameter& parameter) {
  return std::all_of(t.terms.begin(), t.terms.end(), [&](const auto& term) {
    return !depends_on(t.graph, term.own_natural, parameter.node) ||
           (t.graph[term.own_natural].shape == parameter.shape &&
            elementwise_in(t.graph, term.own_natural, parameter.node));
  });
}

/// The mean of `term` from the equation of `parameter`. None if another term of the equation is not solved
/// yet.
NodeId solve(Build& build, const FamilyTemplate& t, const FamilyTemplate::Term& term,
             const FamilyTemplate::Parameter& parameter) {
  if (!depends_on(t.graph, term.own_natural, parameter.node)) return {};
  if (build.shape(term.own_statistic) != parameter.shape) return {};
  NodeId right = derivative(build, t.log_partition, parameter.node);
  for (const auto& other : t.terms) {
    if (&other == &term || !depends_on(t.graph, other.own_natural, parameter.node)) continue;
    if (!other.mean || build.shape(other.mean) != parameter.shape) return {};
    right = build.subtract(right,
                           build.multiply(derivative(build, other.own_natural, parameter.node), other.mean));
  }
  return build.divide(right, derivative(build, term.own_natural, parameter.node));
}

/// The expectation of an affine function of x and the statistics, node by node.
struct Affine {
  Build& build;
  const FamilyTemplate& t;
  std::map<int32_t, NodeId> done;

  NodeId of(NodeId node) {
    const auto [place, fresh] = done.try_emplace(node.index);
    if (!fresh) return place->second;
    const NodeId mean = find(node);
    return done[node.index] = mean;
  }

  NodeId find(NodeId id) {
    if (!depends_on(*build.graph, id, t.x)) return id;
    for (const auto& term : t.terms)
      if (term.own_statistic == id && term.mean) return term.mean;
    const Node node = (*build.graph)[id];  // a copy, because adding nodes moves the others
    std::vector<NodeId> means;
    int varying = 0;
    for (const NodeId input : node.inputs) {
      varying += depends_on(*build.graph, input, t.x);
      means.push_back(of(input));
      if (!means.back()) return {};
    }
    switch (node.op) {
      case Op::add:
      case Op::subtract:
      case Op::negate:
        return build.pointwise(node.op, means);
      case Op::multiply:
        return varying == 1 ? build.pointwise(node.op, means) : NodeId{};
      case Op::divide:
        return depends_on(*build.graph, node.inputs[1], t.x) ? NodeId{} : build.pointwise(node.op, means);
      case Op::sum:
        return build.reduce(Op::sum, means[0], node.ints);
      case Op::reshape:
        return build.reshape(means[0], node.shape);
      case Op::transpose:
        return build.transpose(means[0], node.ints);
      case Op::broadcast:
        return build.broadcast(means[0], node.shape);
      case Op::slice:
        return build.slice(means[0], node.ints);
      case Op::concat:
        return build.concat(means, node.ints[0]);
      default:
        return {};
    }
  }
};

}  // namespace

void derive_moments(Build& build, FamilyTemplate& t) {
  // Each round solves equations that have one unknown left, until a round solves none.
  for (bool progress = true; progress;) {
    progress = false;
    for (auto& term : t.terms) {
      if (term.mean) continue;
      for (const FamilyTemplate::Parameter& parameter : t.parameters) {
        if (!elementwise(t, parameter)) continue;
        term.mean = solve(build, t, term, parameter);
        if (term.mean) break;
      }
      progress |= static_cast<bool>(term.mean);
    }
  }
}

NodeId expectation(Build& build, const FamilyTemplate& t, NodeId node) {
  return Affine{build, t, {}}.of(node);
}

NodeId derive_entropy(Build& build, const FamilyTemplate& t) {
  const NodeId base = expectation(build, t, t.rest_base);
  if (!base) return {};
  if (const auto size = logistic_size(t))
    return build.broadcast(build.subtract(logistic_entropy(build, t, *size), base), t.positions);
  NodeId entropy = build.subtract(t.rest_partition, base);
  const auto include = [&](NodeId product, bool vector) {
    entropy = build.subtract(entropy, vector ? sum_own_axes(build, t, product) : product);
  };
  for (const auto& square : t.squares) {
    if (!square.variance) return {};
    Algebra algebra(build);
    include(algebra.node_of(multiply(algebra.of(square.curvature), algebra.of(square.variance)),
                            build.shape(square.statistic)),
            square.vector);
  }
  for (size_t i = 0; i < t.terms.size(); ++i) {
    const auto& term = t.terms[i];
    if (in_square(t, i) || build.constant_of(term.natural) == 0) continue;
    // The statistic may have been stretched to the shape of its natural parameter.
    const NodeId mean = expectation(build, t, term.statistic);
    if (!mean) return {};
    include(build.multiply(term.natural, mean), term.vector);
  }
  return build.broadcast(entropy, t.positions);
}

}  // namespace semantics
