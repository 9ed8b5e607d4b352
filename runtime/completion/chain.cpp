#include "runtime/completion/chain.h"

#include <algorithm>
#include <queue>

namespace completion {
namespace {

VariableMask mask_of(const std::vector<int>& variables, int extent) {
  VariableMask mask(extent);
  for (const int variable : variables) mask.insert(variable);
  return mask;
}

/// Sorts the draws of one player so that parents come first. The player's conditionals have no cycle.
std::vector<Draw> parents_first(const Players& players, std::vector<Draw> draws) {
  std::vector<Draw> sorted;
  VariableMask waiting(players.variables());
  for (const Draw& draw : draws) waiting.insert(players[draw.conditional].target);
  while (!draws.empty()) {
    const auto ready = std::ranges::find_if(draws, [&](const Draw& draw) {
      return std::ranges::none_of(players[draw.conditional].parents,
                                  [&](int parent) { return waiting.contains(parent); });
    });
    sorted.push_back(*ready);
    waiting.erase(players[ready->conditional].target);
    draws.erase(ready);
  }
  return sorted;
}

/// Keeps the largest set of one player's draws in which each draw is allowed. When a draw is dropped, its
/// target counts as known to the player. That can forbid draws of the target's ancestors, but never draws of
/// its descendants.
void drop_disallowed(const Players& players, const VariableMask& present, std::vector<Draw>& own) {
  const auto follows_what_is_kept = [&](const Draw& draw) {
    if (draw.word) return true;
    VariableMask fixed = present;
    for (const Draw& kept : own) fixed.erase(players[kept.conditional].target);
    return !players.below(draw.conditional).intersects(fixed);
  };
  std::erase_if(own, [&](const Draw& draw) {
    const bool parents_present = std::ranges::all_of(players[draw.conditional].parents,
                                                     [&](int parent) { return present.contains(parent); });
    return !parents_present || (!draw.word && players.foreign(draw.conditional).intersects(present));
  });
  for (size_t before = own.size() + 1; own.size() < before;) {
    before = own.size();
    std::vector<Draw> kept;
    std::ranges::copy_if(own, std::back_inserter(kept), follows_what_is_kept);
    own = std::move(kept);
  }
}

/// A set of variables that grows until each of them has a draw.
struct Partial {
  std::vector<int> set;       // sorted
  std::vector<int> required;  // conditionals that must be among the chain's draws
  VariableMask contained, covered;

  /// The first variable without a draw; -1 if there is none.
  int open() const {
    const auto found = std::ranges::find_if(set, [&](int variable) { return !covered.contains(variable); });
    return found == set.end() ? -1 : *found;
  }
};

struct LargerFirst {
  bool operator()(const Partial& a, const Partial& b) const {
    return a.set.size() != b.set.size() ? a.set.size() > b.set.size() : a.set > b.set;
  }
};

class LeastSetSearch {
 public:
  LeastSetSearch(const ChainProblem& problem, int64_t limit)
      : problem_(problem), players_(problem.players), limit_(limit), samplers_(problem.samplers) {
    usable_ = VariableMask(players_.variables());
    for (int variable = 0; variable < players_.variables(); ++variable) {
      if (problem_.known.contains(variable)) continue;
      usable_.insert(variable);
      left_.push_back(variable);
    }
  }

  LeastSet run() {
    drop_unusable();
    // After all sets with the variable `seed` have been searched, only sets without it remain.
    while (!left_.empty()) {
      const int seed = left_.front();
      search_from(seed);
      usable_.erase(seed);
      drop_unusable();
    }
    return {best_, exact_};
  }

 private:
  /// Drops variables that no set can contain: each of their samplers has a parent that is neither known nor
  /// usable.
  void drop_unusable() {
    for (bool changed = true; changed;) {
      changed = std::erase_if(left_, [&](int variable) {
                  if (!usable_.contains(variable)) return true;
                  auto& samplers = samplers_[static_cast<size_t>(variable)];
                  std::erase_if(samplers, [&](const Draw& draw) {
                    return !std::ranges::all_of(players_[draw.conditional].parents, [&](int parent) {
                      return problem_.known.contains(parent) || usable_.contains(parent);
                    });
                  });
                  if (samplers.empty()) usable_.erase(variable);
                  return samplers.empty();
                }) > 0;
    }
  }

  void search_from(int seed) {
    std::priority_queue<Partial, std::vector<Partial>, LargerFirst> open;
    const VariableMask none(players_.variables());
    Partial start{.contained = none, .covered = none};
    if (grow(start, {seed}, {})) open.push(std::move(start));
    while (!open.empty()) {
      Partial partial = open.top();
      open.pop();
      if (!improves(partial)) return;  // the remaining sets are no smaller, so they do not improve either
      const int variable = partial.open();
      if (variable < 0) {
        best_ = partial.set;
        return;
      }
      const std::vector<Draw> choices = worth_trying(variable);
      if (choices.size() > 1) limit_ -= static_cast<int64_t>(choices.size());
      if (limit_ < 0) {
        exact_ = false;
        return;
      }
      for (const Draw& draw : choices) {
        Partial next = partial;
        if (grow(next, {}, {draw.conditional}) && improves(next)) open.push(std::move(next));
      }
    }
  }

  bool improves(const Partial& partial) const {
    if (best_.empty() || partial.set.size() != best_.size())
      return best_.empty() || partial.set.size() < best_.size();
    return partial.set < best_;
  }

  /// The samplers of the variable, without those that another sampler can replace in every set.
  std::vector<Draw> worth_trying(int variable) const {
    std::vector<Draw> result;
    for (const Draw& draw : samplers_[static_cast<size_t>(variable)]) {
      const bool replaced =
          std::ranges::any_of(result, [&](const Draw& other) { return replaces(other, draw); });
      if (replaced) continue;
      std::erase_if(result, [&](const Draw& other) { return replaces(draw, other); });
      result.push_back(draw);
    }
    return result;
  }

  /// Whether `a` is allowed in every set in which `b` is.
  bool replaces(const Draw& a, const Draw& b) const {
    VariableMask needed = mask_of(players_[b.conditional].parents, players_.variables());
    needed |= problem_.known;
    if (!mask_of(players_[a.conditional].parents, players_.variables()).is_subset_of(needed)) return false;
    if (a.word) return true;
    const VariableMask& below = players_.below(a.conditional);
    VariableMask foreign = players_.foreign(a.conditional);
    foreign &= usable_;
    return !below.intersects(usable_) &&
           (b.word ? !foreign.intersects(usable_) : foreign.is_subset_of(players_.foreign(b.conditional)));
  }

  bool is_word(int conditional) const {
    for (const Draw& draw : problem_.samplers[static_cast<size_t>(players_[conditional].target)])
      if (draw.conditional == conditional) return draw.word;
    return false;
  }

  /// Adds the variables and draws to the partial set, and everything that follows from them. From a draw
  /// follow its parents, and, for each variable of the set below its target, a draw of that variable by the
  /// same player. Returns false if that is not possible.
  bool grow(Partial& partial, std::vector<int> variables, std::vector<int> conditionals) const {
    while (!variables.empty() || !conditionals.empty()) {
      if (!variables.empty()) {
        const int variable = variables.back();
        variables.pop_back();
        if (partial.contained.contains(variable)) continue;
        if (!usable_.contains(variable)) return false;
        partial.set.insert(std::ranges::upper_bound(partial.set, variable), variable);
        partial.contained.insert(variable);
        for (const int conditional : partial.required)
          if (!accepts(conditional, variable, conditionals)) return false;
        continue;
      }
      const int conditional = conditionals.back();
      conditionals.pop_back();
      if (std::ranges::find(partial.required, conditional) != partial.required.end()) continue;
      partial.required.push_back(conditional);
      partial.covered.insert(players_[conditional].target);
      for (const int variable : partial.set)
        if (!accepts(conditional, variable, conditionals)) return false;
      for (const int parent : players_[conditional].parents)
        if (!problem_.known.contains(parent)) variables.push_back(parent);
    }
    return true;
  }

  /// Whether the draw from `conditional` stays allowed if `variable` is in the set. A variable below the
  /// draw's target must be drawn after it, so by the same player: that draw is added to `conditionals`.
  bool accepts(int conditional, int variable, std::vector<int>& conditionals) const {
    if (is_word(conditional)) return true;
    if (players_.foreign(conditional).contains(variable)) return false;
    if (!players_.below(conditional).contains(variable)) return true;
    for (const Draw& draw : samplers_[static_cast<size_t>(variable)]) {
      if (players_[draw.conditional].player != players_[conditional].player) continue;
      conditionals.push_back(draw.conditional);
      return true;
    }
    return false;
  }

  const ChainProblem& problem_;
  const Players& players_;
  int64_t limit_;
  Samplers samplers_;      // per variable; only the usable ones matter
  VariableMask usable_;    // the variables that a set may still contain
  std::vector<int> left_;  // the same variables as a sorted list
  std::vector<int> best_;
  bool exact_ = true;
};

}  // namespace

std::optional<std::vector<Draw>> chain_over(const ChainProblem& problem, const std::vector<int>& set) {
  const Players& players = problem.players;
  VariableMask present = mask_of(set, players.variables());
  present |= problem.known;
  std::map<int, std::vector<Draw>> by_player;
  for (const int variable : set)
    for (const Draw& draw : problem.samplers[static_cast<size_t>(variable)])
      by_player[players[draw.conditional].player].push_back(draw);
  std::vector<Draw> result;
  VariableMask covered(players.variables());
  for (auto& [player, own] : by_player) {
    drop_disallowed(players, present, own);
    for (const Draw& draw : parents_first(players, own)) {
      covered.insert(players[draw.conditional].target);
      result.push_back(draw);
    }
  }
  if (!mask_of(set, players.variables()).is_subset_of(covered)) return std::nullopt;
  return result;
}

LeastSet least_waiting_set(const ChainProblem& problem, int64_t limit) {
  return LeastSetSearch(problem, limit).run();
}

}  // namespace completion
