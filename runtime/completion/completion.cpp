#include "runtime/completion/completion.h"

#include <algorithm>

namespace completion {
namespace {

bool contains(const std::vector<int>& values, int value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

class Search {
 public:
  Search(const Players& players, const Variables& known, const std::map<int, int>& words,
         const std::vector<int>& rank)
      : players_(players), words_(words), rank_(rank) {
    result_.completed = known;
  }

  Completion run() {
    while (!result_.ambiguity) {
      const std::vector<Draw> draws = possible_draws();
      if (!draws.empty()) {
        if (const auto found = ambiguity_among(draws)) {
          if (!settle(*found)) break;
          add({.draws = {better(*found)}});
        } else {
          for (const Draw& draw : draws) add({.draws = {draw}});
        }
        continue;
      }
      const std::optional<Step> chain = find_chain();
      if (!chain) break;
      add(*chain);
    }
    return std::move(result_);
  }

 private:
  void add(const Step& step) {
    for (const Draw& draw : step.draws) result_.completed.insert(players_[draw.conditional].target);
    result_.steps.push_back(step);
  }

  const Draw& better(const Ambiguity& ambiguity) const {
    const auto rank = [&](const Draw& draw) { return rank_[static_cast<size_t>(draw.conditional)]; };
    return rank(ambiguity.second) < rank(ambiguity.first) ? ambiguity.second : ambiguity.first;
  }

  /// False where there are no ranks to settle it by.
  bool settle(const Ambiguity& ambiguity) {
    if (rank_.empty()) {
      result_.ambiguity = ambiguity;
      return false;
    }
    result_.settled.push_back(ambiguity);
    return true;
  }

  /// The conditionals that may give the variable here: all players', or those of the author's word, or of the
  /// player that was settled on.
  std::vector<Draw> givers(int variable) const {
    const auto word = words_.find(variable), settled = settled_.find(variable);
    std::vector<Draw> found;
    for (int player = 0; player < players_.count(); ++player) {
      if (word != words_.end() && word->second != player) continue;
      if (settled != settled_.end() && settled->second != player) continue;
      for (size_t i = 0; i < players_.conditionals().size(); ++i) {
        const Conditional& conditional = players_.conditionals()[i];
        if (conditional.player == player && conditional.target == variable)
          found.push_back({static_cast<int>(i), word != words_.end()});
      }
    }
    return found;
  }

  bool allowed(const Draw& draw, const Variables& known) const {
    for (const int parent : players_[draw.conditional].parents) {
      if (!known.contains(parent)) return false;
    }
    return draw.word || !players_.ignored(draw.conditional, known);
  }

  std::vector<int> missing() const {
    std::vector<int> result;
    for (int variable = 0; variable < players_.variables(); ++variable) {
      if (!result_.completed.contains(variable)) result.push_back(variable);
    }
    return result;
  }

  std::vector<Draw> possible_draws() const {
    std::vector<Draw> result;
    for (const int variable : missing()) {
      for (const Draw& draw : givers(variable)) {
        if (allowed(draw, result_.completed)) result.push_back(draw);
      }
    }
    return result;
  }

  std::optional<Ambiguity> ambiguity_among(const std::vector<Draw>& draws) const {
    for (size_t i = 0; i < draws.size(); ++i) {
      for (size_t j = i + 1; j < draws.size(); ++j) {
        const Draw &first = draws[i], &second = draws[j];
        if (players_[first.conditional].target == players_[second.conditional].target)
          return Ambiguity{Ambiguity::Kind::one_target, first, second};
        const bool first_excludes = excludes(first, second);
        if (first_excludes || excludes(second, first))
          return Ambiguity{Ambiguity::Kind::one_excludes_the_other, first, second,
                           first_excludes ? first.conditional : second.conditional,
                           first_excludes ? second.conditional : first.conditional};
      }
    }
    return std::nullopt;
  }

  /// True if `other` is no longer allowed once `made`'s target is completed.
  bool excludes(const Draw& made, const Draw& other) const {
    Variables known = result_.completed;
    known.insert(players_[made.conditional].target);
    return !allowed(other, known);
  }

  /// The draws of a chain over `set`, grouped by player, parents first; none if some variable has no giver.
  /// A player draws with the rest of the set known, except what it is still about to draw itself.
  std::optional<std::vector<Draw>> chain_over(const Variables& set) const {
    std::vector<Draw> result;
    Variables covered;
    for (int player = 0; player < players_.count(); ++player) {
      std::vector<Draw> own;
      for (const int variable : set) {
        for (const Draw& draw : givers(variable)) {
          if (players_[draw.conditional].player == player) own.push_back(draw);
        }
      }
      drop_disallowed(set, own);
      for (const Draw& draw : parents_first(own)) {
        covered.insert(players_[draw.conditional].target);
        result.push_back(draw);
      }
    }
    if (covered.size() != set.size()) return std::nullopt;
    return result;
  }

  /// Removes from one player's draws those that would ignore something, until the others are all allowed.
  void drop_disallowed(const Variables& set, std::vector<Draw>& own) const {
    for (bool changed = true; changed;) {
      changed = false;
      Variables known = result_.completed;
      known.insert(set.begin(), set.end());
      for (const Draw& draw : own) known.erase(players_[draw.conditional].target);
      std::vector<Draw> kept;
      for (const Draw& draw : parents_first(own)) {
        if (allowed(draw, known)) {
          known.insert(players_[draw.conditional].target);
          kept.push_back(draw);
        } else {
          changed = true;
        }
      }
      own = kept;
    }
  }

  std::vector<Draw> parents_first(std::vector<Draw> draws) const {
    std::vector<Draw> sorted;
    while (!draws.empty()) {
      const auto ready = std::find_if(draws.begin(), draws.end(), [&](const Draw& draw) {
        return std::none_of(draws.begin(), draws.end(), [&](const Draw& other) {
          return contains(players_[draw.conditional].parents, players_[other.conditional].target);
        });
      });
      sorted.push_back(*ready);  // a player's conditionals form no cycle
      draws.erase(ready);
    }
    return sorted;
  }

  /// The missing variables that a chain may hold: some giver's parents are completed or among them.
  std::vector<int> candidates() const {
    std::vector<int> found = missing();
    for (bool changed = true; changed;) {
      const std::vector<int> before = found;
      std::erase_if(found, [&](int variable) {
        const std::vector<Draw> draws = givers(variable);
        return std::none_of(draws.begin(), draws.end(), [&](const Draw& draw) {
          const std::vector<int>& parents = players_[draw.conditional].parents;
          return std::all_of(parents.begin(), parents.end(), [&](int parent) {
            return result_.completed.contains(parent) || contains(before, parent);
          });
        });
      });
      changed = found.size() != before.size();
    }
    return found;
  }

  /// A least set of missing variables that wait only for one another; none too after an ambiguity.
  std::optional<Step> find_chain() {
    const std::vector<int> from = candidates();
    // Small sets first. What has more than `limit` candidates is searched among pairs and triples only,
    // and then as a whole: models with longer cycles among so many variables are not known.
    const size_t limit = 16;
    const size_t largest = from.size() <= limit ? from.size() : 3;
    for (size_t size = 2; size <= largest; ++size) {
      if (auto draws = choose(from, size, 0, {})) return as_chain(std::move(*draws));
    }
    if (from.size() > limit) {
      if (auto draws = chain_over({from.begin(), from.end()})) return as_chain(std::move(*draws));
    }
    return std::nullopt;
  }

  std::optional<std::vector<Draw>> choose(const std::vector<int>& from, size_t size, size_t start,
                                          const Variables& chosen) const {
    if (chosen.size() == size) return chain_over(chosen);
    for (size_t i = start; i < from.size(); ++i) {
      Variables more = chosen;
      more.insert(from[i]);
      if (auto draws = choose(from, size, i + 1, more)) return draws;
    }
    return std::nullopt;
  }

  std::optional<Step> as_chain(std::vector<Draw> draws) {
    while (const auto found = two_givers_in(draws)) {
      if (!settle(*found)) return std::nullopt;
      const Conditional& kept = players_[better(*found).conditional];
      settled_[kept.target] = kept.player;
      Variables set;
      for (const Draw& draw : draws) set.insert(players_[draw.conditional].target);
      auto fewer = chain_over(set);
      if (!fewer) return std::nullopt;
      draws = std::move(*fewer);
    }
    return Step{.chain = true, .draws = draws};
  }

  std::optional<Ambiguity> two_givers_in(const std::vector<Draw>& draws) const {
    for (size_t i = 0; i < draws.size(); ++i) {
      for (size_t j = i + 1; j < draws.size(); ++j) {
        if (players_[draws[i].conditional].target == players_[draws[j].conditional].target)
          return Ambiguity{Ambiguity::Kind::one_target_in_a_chain, draws[i], draws[j]};
      }
    }
    return std::nullopt;
  }

  const Players& players_;
  const std::map<int, int>& words_;
  const std::vector<int>& rank_;
  std::map<int, int> settled_;  // per variable of a chain: its player
  Completion result_;
};

/// True if the conditional's target is always drawn from it after its parents: its expected gradient is zero.
bool drawn_from_itself(const Players& players, const std::vector<Step>& steps, int conditional) {
  for (const Step& step : steps) {
    for (const Draw& draw : step.draws) {
      if (draw.conditional != conditional) continue;
      return std::none_of(step.draws.begin(), step.draws.end(), [&](const Draw& other) {
        const Conditional &own = players[conditional], &drawn = players[other.conditional];
        return drawn.player != own.player && contains(own.parents, drawn.target);
      });
    }
  }
  return false;
}

}  // namespace

Completion complete(const Players& players, const Variables& known, const std::map<int, int>& words,
                    const std::vector<int>& rank) {
  return Search(players, known, words, rank).run();
}

Terms terms_of(const Players& players, const Completion& completion) {
  Terms terms;
  for (int player = 0; player < players.count(); ++player) {
    for (size_t i = 0; i < players.conditionals().size(); ++i) {
      const Conditional& conditional = players.conditionals()[i];
      if (conditional.player != player || !conditional.learned) continue;
      Variables missing(conditional.parents.begin(), conditional.parents.end());
      missing.insert(conditional.target);
      std::erase_if(missing, [&](int variable) { return completion.completed.contains(variable); });
      const int index = static_cast<int>(i);
      if (!missing.empty()) {
        terms.left_out.push_back({index, missing});
      } else if (!drawn_from_itself(players, completion.steps, index)) {
        terms.conditionals.push_back(index);
      }
    }
  }
  return terms;
}

Variables prune(const Players& players, std::vector<Step>& steps, Variables needed) {
  std::vector<Step> kept;
  Variables undrawn;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    const bool wanted = std::any_of(step->draws.begin(), step->draws.end(), [&](const Draw& draw) {
      return needed.contains(players[draw.conditional].target);
    });
    for (const Draw& draw : step->draws) {
      const Conditional& conditional = players[draw.conditional];
      if (wanted) {
        needed.insert(conditional.parents.begin(), conditional.parents.end());
      } else {
        undrawn.insert(conditional.target);
      }
    }
    if (wanted) kept.insert(kept.begin(), *step);
  }
  steps = std::move(kept);
  return undrawn;
}

}  // namespace completion
