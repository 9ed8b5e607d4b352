#include "compiler/game/equilibrium.h"

#include <algorithm>

#include "compiler/semantics/graph/dependence.h"

namespace game {
namespace {
using semantics::Conditional;
using semantics::Graph;
using semantics::Model;
using semantics::Node;
using semantics::NodeId;
using semantics::Op;

bool knows(const SourceGame& source, const Conditional& conditional) {
  const auto has = [&](VariableId variable) {
    return std::find(source.known.begin(), source.known.end(), variable) != source.known.end();
  };
  return has(conditional.target) && std::all_of(conditional.parents.begin(), conditional.parents.end(), has);
}

/// The form W v + b with free W and b. v is the parent itself, reshaped or not.
struct Affine {
  bool linear = false;  // W v: a product of free weights with the parent
  bool bias = false;
};
/// The node below all reshapes. With `broadcasts`, also below broadcasts that repeat nothing.
const Node& without_views(const Graph& graph, NodeId id, bool broadcasts) {
  while (true) {
    const Node& node = graph[id];
    if (node.op != Op::reshape && !(broadcasts && node.op == Op::broadcast)) return node;
    if (semantics::count(node.shape) != semantics::count(graph[node.inputs[0]].shape)) return node;
    id = node.inputs[0];
  }
}
bool is_parent(const Graph& graph, NodeId id, VariableId parent) {
  const Node& node = without_views(graph, id, false);
  return node.op == Op::variable && node.index == parent.index;
}
bool is_parameter(const Graph& graph, NodeId id) {
  const Node& node = without_views(graph, id, true);
  return node.op == Op::parameter && !semantics::is_average(node);
}
std::optional<Affine> affine_in(const Graph& graph, NodeId id, VariableId parent) {
  bool bias = false;
  while (true) {
    const Node& node = graph[id];
    if (node.op == Op::dense) {
      if (is_parent(graph, node.inputs[0], parent) && is_parameter(graph, node.inputs[1]))
        return Affine{true, bias};
      return std::nullopt;
    }
    if (node.op == Op::reshape) {
      id = node.inputs[0];
    } else if (node.op == Op::add &&
               (is_parameter(graph, node.inputs[0]) || is_parameter(graph, node.inputs[1]))) {
      bias = true;
      id = node.inputs[is_parameter(graph, node.inputs[1]) ? 0 : 1];
    } else {
      return std::nullopt;
    }
  }
}

/// The number of values of a scalar discrete variable with finitely many, or 0.
int64_t scalar_values(const semantics::Variable& variable) {
  if (!variable.shape.empty() && semantics::count(variable.shape) != 1) return 0;
  if (variable.domain.kind == semantics::DomainKind::binary) return 2;
  if (variable.domain.kind == semantics::DomainKind::category) return variable.domain.classes;
  return 0;
}

/// A linear player whose target is not discrete is `other`: its statistics are unbounded. Rows with a larger
/// spread than the pairs' rows then give two equilibria at any weights
/// (tests/programs/training/oracle_test.py).
enum class Form { other, linear, table };
Form form_of(const Model& model, const Conditional& conditional) {
  if (conditional.parents.size() != 1 || conditional.arguments.size() != 1) return Form::other;
  const VariableId parent = conditional.parents[0];
  const std::optional<Affine> affine = affine_in(model.graph, conditional.arguments[0], parent);
  if (!affine) return Form::other;
  const bool finite = scalar_values(model[conditional.target]) > 0 && scalar_values(model[parent]) > 0;
  // With a one-hot parent, the weights alone can express every table. A parent of a single bit needs the bias
  // too.
  const bool one_hot = model[parent].domain.kind == semantics::DomainKind::category;
  if (finite && (one_hot || affine->bias)) return Form::table;
  return conditional.discrete ? Form::linear : Form::other;
}

}  // namespace

std::optional<ConditionalId> never_seen_whole(const Model& model, const Game& game, const Play& play) {
  for (size_t player = 0; player < model.players.size(); ++player) {
    if (!play.learns[player]) continue;
    for (const ConditionalId id : model.players[player].conditionals) {
      if (model[id].parameters.empty()) continue;
      const bool seen = std::any_of(game.sources.begin(), game.sources.end(), [&](const SourceGame& source) {
        return play.weight(source.source).value > 0 && knows(source, model[id]);
      });
      if (!seen) return id;
    }
  }
  return std::nullopt;
}

Equilibrium judge_equilibrium(const Model& model, const Game& game, const Play& play) {
  // A player that learns beside frozen ones alone plays no game.
  const auto learning = std::ranges::count(play.learns, true);
  if (learning < 2 && learning < std::ssize(play.learns)) return Equilibrium::none;
  if (never_seen_whole(model, game, play)) return Equilibrium::perhaps_a_continuum;
  if (model.players.size() != 2 || model.players[0].conditionals.size() != 1 ||
      model.players[1].conditionals.size() != 1) {
    return Equilibrium::none;
  }
  const Conditional& p = model[model.players[0].conditionals[0]];
  const Conditional& q = model[model.players[1].conditionals[0]];
  const bool opposite =
      p.parents.size() == 1 && q.parents.size() == 1 && p.parents[0] == q.target && q.parents[0] == p.target;
  if (!opposite) return Equilibrium::none;
  double pairs = 0, targets_only = 0, parents_only = 0;
  for (const SourceGame& source : game.sources) {
    const auto [weight, changes] = play.weight(source.source);
    if (changes) return Equilibrium::none;
    if (weight == 0) continue;
    if (knows(source, p)) {
      pairs += weight;
    } else if (source.known.size() == 1) {
      (source.known[0] == p.target ? targets_only : parents_only) += weight;
    } else {
      return Equilibrium::none;
    }
  }
  const Form p_form = form_of(model, p), q_form = form_of(model, q);
  if (p_form == Form::other || q_form == Form::other || pairs <= 0) return Equilibrium::none;
  if (p_form == Form::table && q_form == Form::table) return Equilibrium::unique;
  return targets_only * parents_only < pairs * pairs ? Equilibrium::unique : Equilibrium::none;
}

}  // namespace game
