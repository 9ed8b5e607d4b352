// An oracle for completions of small games: the rules of "The game", computed by plain enumeration of paths,
// sets of variables and sets of draws. It uses only the types of the code under test.
#pragma once
#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "runtime/completion/completion.h"

namespace completion {

class EnumeratedGame {
 public:
  EnumeratedGame(int variables, std::vector<Conditional> conditionals, std::map<int, int> words)
      : variables_(variables), conditionals_(std::move(conditionals)), words_(std::move(words)) {}

  Completion complete(Variables known) const {
    Completion result;
    result.completed = std::move(known);
    while (true) {
      const std::vector<int> draws = possible(result.completed);
      result.ambiguity = ambiguity_among(draws, result.completed);
      if (result.ambiguity) return result;
      for (const int draw : draws) {
        result.steps.push_back({.draws = {{draw, is_word(draw)}}});
        result.completed.insert(conditional(draw).target);
      }
      if (!draws.empty()) continue;
      const std::vector<int> chain = smallest_chain(result.completed);
      if (chain.empty()) return result;
      Step step{.chain = true};
      Variables targets;
      for (const int draw : chain) {
        step.draws.push_back({draw, is_word(draw)});
        if (!targets.insert(conditional(draw).target).second) result.ambiguity = Ambiguity{};
      }
      if (result.ambiguity) return result;
      result.completed.insert(targets.begin(), targets.end());
      result.steps.push_back(step);
    }
  }

 private:
  const Conditional& conditional(int index) const { return conditionals_[static_cast<size_t>(index)]; }
  bool is_word(int index) const { return words_.contains(conditional(index).target); }

  /// The conditionals that may draw the variable, in the order of the players.
  std::vector<int> samplers(int variable) const {
    std::vector<int> found;
    for (size_t i = 0; i < conditionals_.size(); ++i) {
      const auto word = words_.find(variable);
      if (conditionals_[i].target == variable &&
          (word == words_.end() || word->second == conditionals_[i].player))
        found.push_back(static_cast<int>(i));
    }
    std::ranges::stable_sort(found, {}, [&](int i) { return conditional(i).player; });
    return found;
  }

  /// Whether a path leads from one variable to another along the conditionals of `player` (-1: of all
  /// players), without a variable of `avoided` between them.
  bool path(int from, int to, int player, const std::vector<int>& avoided, Variables seen = {}) const {
    for (const Conditional& edge : conditionals_) {
      if ((player >= 0 && edge.player != player) || std::ranges::count(edge.parents, from) == 0) continue;
      if (edge.target == to) return true;
      if (std::ranges::count(avoided, edge.target) > 0 || !seen.insert(edge.target).second) continue;
      if (path(edge.target, to, player, avoided, seen)) return true;
    }
    return false;
  }

  bool in_graph(int variable, int player) const {
    return std::ranges::any_of(conditionals_, [&](const Conditional& edge) {
      return edge.player == player &&
             (edge.target == variable || std::ranges::count(edge.parents, variable) > 0);
    });
  }

  bool allowed(int index, const Variables& known) const {
    const Conditional& drawn = conditional(index);
    for (const int parent : drawn.parents)
      if (!known.contains(parent)) return false;
    if (is_word(index)) return true;
    return std::ranges::none_of(known, [&](int variable) {
      if (variable == drawn.target) return false;
      if (path(drawn.target, variable, drawn.player, {})) return true;
      return !in_graph(variable, drawn.player) && (path(drawn.target, variable, -1, drawn.parents) ||
                                                   path(variable, drawn.target, -1, drawn.parents));
    });
  }

  std::vector<int> possible(const Variables& known) const {
    std::vector<int> found;
    for (int variable = 0; variable < variables_; ++variable) {
      if (known.contains(variable)) continue;
      for (const int sampler : samplers(variable))
        if (allowed(sampler, known)) found.push_back(sampler);
    }
    return found;
  }

  std::optional<Ambiguity> ambiguity_among(const std::vector<int>& draws, const Variables& known) const {
    for (const int first : draws) {
      for (const int second : draws) {
        if (first == second) continue;
        Variables more = known;
        more.insert(conditional(first).target);
        if (conditional(first).target == conditional(second).target || !allowed(second, more))
          return Ambiguity{};
      }
    }
    return std::nullopt;
  }

  /// The draws in an order in which each is allowed after the earlier ones; nothing if there is no such
  /// order.
  std::optional<std::vector<int>> ordered(std::vector<int> draws, Variables known) const {
    for (const int draw : draws) known.erase(conditional(draw).target);
    std::vector<int> order;
    while (!draws.empty()) {
      const auto next = std::ranges::find_if(draws, [&](int draw) {
        return std::ranges::none_of(draws, [&](int other) {
          return std::ranges::count(conditional(draw).parents, conditional(other).target) > 0;
        });
      });
      if (!allowed(*next, known)) return std::nullopt;
      known.insert(conditional(*next).target);
      order.push_back(*next);
      draws.erase(next);
    }
    return order;
  }

  /// The largest set of the player's draws for variables in `set` that has such an order.
  std::vector<int> largest_part(int player, const Variables& set, const Variables& known) const {
    std::vector<int> own, best;
    for (const int variable : set)
      for (const int sampler : samplers(variable))
        if (conditional(sampler).player == player) own.push_back(sampler);
    for (unsigned bits = 0; bits < (1U << own.size()); ++bits) {
      std::vector<int> chosen;
      for (size_t i = 0; i < own.size(); ++i)
        if ((bits >> i & 1U) != 0) chosen.push_back(own[i]);
      const auto order = ordered(chosen, known);
      if (order && order->size() > best.size()) best = *order;
    }
    return best;
  }

  std::vector<int> smallest_chain(const Variables& completed) const {
    std::vector<int> missing, best;
    for (int variable = 0; variable < variables_; ++variable)
      if (!completed.contains(variable)) missing.push_back(variable);
    Variables best_set;
    for (unsigned bits = 1; bits < (1U << missing.size()); ++bits) {
      Variables set, known = completed, covered;
      for (size_t i = 0; i < missing.size(); ++i)
        if ((bits >> i & 1U) != 0) set.insert(missing[i]);
      known.insert(set.begin(), set.end());
      std::vector<int> chain;
      for (int player = 0; player < 8; ++player)
        for (const int draw : largest_part(player, set, known)) {
          chain.push_back(draw);
          covered.insert(conditional(draw).target);
        }
      if (covered != set) continue;
      const bool better =
          best.empty() || set.size() < best_set.size() || (set.size() == best_set.size() && set < best_set);
      if (better) best = chain, best_set = set;
    }
    return best;
  }

  int variables_;
  std::vector<Conditional> conditionals_;
  std::map<int, int> words_;
};

}  // namespace completion
