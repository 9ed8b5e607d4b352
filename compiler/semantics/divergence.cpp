#include "compiler/semantics/divergence.h"

#include <numeric>

#include "compiler/semantics/build.h"
#include "compiler/semantics/family_template.h"

namespace semantics {
namespace {

/// A family's nodes with one conditional's arguments in the places of its parameters.
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

}  // namespace

NodeId expand_entropy(Model& model, const Conditional& q) {
  if (!q.form->entropy) return {};
  Build build{&model.graph, q.span};
  return build.sum_all(Placed(build, *q.form, q)(q.form->entropy));
}

// <natural_q - natural_p, E_q statistic> - log_partition_q + log_partition_p: the base measures cancel.
NodeId expand_kl(Model& model, const Conditional& q, const Conditional& p) {
  if (q.form != p.form) return {};
  const FamilyTemplate& t = *q.form;
  Build build{&model.graph, q.span};
  Placed of_q(build, t, q), of_p(build, t, p);
  NodeId kl = build.subtract(of_p(t.log_partition), of_q(t.log_partition));
  for (const auto& term : t.terms) {
    bool fixed = true;
    for (const auto& parameter : t.parameters)
      fixed = fixed && !depends_on(t.graph, term.natural, parameter.node);
    if (fixed) continue;  // the two natural parameters are equal
    if (!term.stretched_mean) return {};
    NodeId product =
        build.multiply(build.subtract(of_q(term.natural), of_p(term.natural)), of_q(term.stretched_mean));
    if (term.vector) {
      std::vector<int64_t> axes(build.shape(product).size() - t.positions.size());
      std::iota(axes.begin(), axes.end(), 0);
      product = build.reduce(Op::sum, product, axes);
    }
    kl = build.add(kl, product);
  }
  return build.sum_all(build.broadcast(kl, t.positions));
}

}  // namespace semantics
