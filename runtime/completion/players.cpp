#include <algorithm>

#include "runtime/completion/completion.h"

namespace completion {

void Edges::add(const Conditional& conditional) {
  for (const int parent : conditional.parents) {
    next_[static_cast<size_t>(parent)].push_back(conditional.target);
  }
}

Variables Edges::downstream(int start, const Variables& avoided) const {
  Variables seen;
  std::vector<int> open = {start};
  while (!open.empty()) {
    const int from = open.back();
    open.pop_back();
    for (const int to : next_[static_cast<size_t>(from)]) {
      if (!avoided.contains(to) && seen.insert(to).second) open.push_back(to);
    }
  }
  return seen;
}

Players::Players(int variables, std::vector<Conditional> conditionals)
    : variables_(variables), conditionals_(std::move(conditionals)), joined_(static_cast<size_t>(variables)) {
  for (const Conditional& conditional : conditionals_) {
    if (conditional.player < 0) continue;
    add_member(conditional.player, conditional.target);
    for (const int parent : conditional.parents) add_member(conditional.player, parent);
    edges_[static_cast<size_t>(conditional.player)].add(conditional);
    joined_.add(conditional);
  }
}

void Players::add_member(int player, int variable) {
  const auto place = static_cast<size_t>(player);
  edges_.resize(std::max(edges_.size(), place + 1), Edges(static_cast<size_t>(variables_)));
  members_.resize(edges_.size());
  members_[place].insert(variable);
}

std::optional<int> Players::ignored(int conditional, const Variables& known) const {
  const Conditional& drawn = (*this)[conditional];
  const auto player = static_cast<size_t>(drawn.player);
  const Variables parents(drawn.parents.begin(), drawn.parents.end());
  const Variables descendants = edges_[player].downstream(drawn.target, {});
  const Variables below = joined_.downstream(drawn.target, parents);
  for (const int variable : known) {
    if (variable == drawn.target) continue;
    if (descendants.contains(variable)) return variable;
    if (members_[player].contains(variable)) continue;
    if (below.contains(variable) || joined_.downstream(variable, parents).contains(drawn.target))
      return variable;
  }
  return std::nullopt;
}

}  // namespace completion
