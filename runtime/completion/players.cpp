#include <algorithm>

#include "runtime/completion/completion.h"

namespace completion {
namespace {

/// For each variable, the variables that its edges lead to.
using Edges = std::vector<std::vector<int>>;

/// All variables that a path from `start` reaches without passing through `avoided`. `start` itself is
/// included only if a cycle leads back to it.
VariableMask reached(const Edges& edges, int start, const VariableMask& avoided) {
  VariableMask seen(static_cast<int>(edges.size()));
  std::vector<int> open = {start};
  while (!open.empty()) {
    const int from = open.back();
    open.pop_back();
    for (const int to : edges[static_cast<size_t>(from)]) {
      if (avoided.contains(to) || seen.contains(to)) continue;
      seen.insert(to);
      open.push_back(to);
    }
  }
  return seen;
}

void add_edges(const Conditional& conditional, Edges& down, Edges& up) {
  for (const int parent : conditional.parents) {
    down[static_cast<size_t>(parent)].push_back(conditional.target);
    up[static_cast<size_t>(conditional.target)].push_back(parent);
  }
}

}  // namespace

Players::Players(int variables, std::vector<Conditional> conditionals)
    : variables_(variables),
      conditionals_(std::move(conditionals)),
      samplers_(static_cast<size_t>(variables)) {
  const auto extent = static_cast<size_t>(variables);
  for (const Conditional& conditional : conditionals_) count_ = std::max(count_, conditional.player + 1);
  std::vector<VariableMask> members(static_cast<size_t>(count_), VariableMask(variables));
  std::vector<std::vector<size_t>> own(static_cast<size_t>(count_));
  Edges down(extent), up(extent);
  for (size_t i = 0; i < conditionals_.size(); ++i) {
    const Conditional& conditional = conditionals_[i];
    if (conditional.player < 0) continue;
    const auto player = static_cast<size_t>(conditional.player);
    members[player].insert(conditional.target);
    for (const int parent : conditional.parents) members[player].insert(parent);
    own[player].push_back(i);
    add_edges(conditional, down, up);
  }
  below_.assign(conditionals_.size(), VariableMask(variables));
  foreign_.assign(conditionals_.size(), VariableMask(variables));
  for (size_t player = 0; player < own.size(); ++player) {
    Edges own_down(extent), own_up(extent);
    for (const size_t i : own[player]) add_edges(conditionals_[i], own_down, own_up);
    for (const size_t i : own[player]) {
      const Conditional& conditional = conditionals_[i];
      samplers_[static_cast<size_t>(conditional.target)].push_back(static_cast<int>(i));
      VariableMask parents(variables);
      for (const int parent : conditional.parents) parents.insert(parent);
      below_[i] = reached(own_down, conditional.target, VariableMask(variables));
      VariableMask related = reached(down, conditional.target, parents);
      related |= reached(up, conditional.target, parents);
      for (int variable = 0; variable < variables; ++variable)
        if (related.contains(variable) && !members[player].contains(variable)) foreign_[i].insert(variable);
    }
  }
}

std::optional<int> Players::ignored(int conditional, const Variables& known) const {
  for (const int variable : known) {
    if (variable == (*this)[conditional].target) continue;
    if (below(conditional).contains(variable) || foreign(conditional).contains(variable)) return variable;
  }
  return std::nullopt;
}

}  // namespace completion
