// Implements section "The game" of the language on plain indices. In: the conditionals, which variables are
// known, and what `complete` says. Out: the draws and chains that complete the missing variables, in order,
// or the two draws that are ambiguous; and the conditionals that get a term.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "runtime/completion/variable_mask.h"

namespace completion {

using Variables = std::set<int>;

/// `target | parents` of a player. If player is -1, the conditional is a source's own, and it completes
/// nothing.
struct Conditional {
  int player = -1;
  int target = -1;
  std::vector<int> parents;
  bool learned = false;  // it has parameters
};

/// The players' graphs, which are the same for every source. Conditionals are numbered in the given order.
/// The conditionals of one player have no cycle.
class Players {
 public:
  Players(int variables, std::vector<Conditional> conditionals);

  int variables() const { return variables_; }
  int count() const { return count_; }
  const std::vector<Conditional>& conditionals() const { return conditionals_; }
  const Conditional& operator[](int conditional) const {
    return conditionals_[static_cast<size_t>(conditional)];
  }

  /// The conditionals of all players that have the variable as their target, in the order of the players.
  const std::vector<int>& samplers(int variable) const { return samplers_[static_cast<size_t>(variable)]; }

  /// The descendants of the conditional's target in the graph of its player.
  const VariableMask& below(int conditional) const { return below_[static_cast<size_t>(conditional)]; }

  /// The variables outside its player's graph that are ancestors or descendants of its target in the union of
  /// all graphs, along a path that avoids its parents.
  const VariableMask& foreign(int conditional) const { return foreign_[static_cast<size_t>(conditional)]; }

  /// The first variable of `known` that a draw from the conditional would ignore: one of `below` or
  /// `foreign`.
  std::optional<int> ignored(int conditional, const Variables& known) const;

 private:
  int variables_;
  int count_ = 0;
  std::vector<Conditional> conditionals_;
  std::vector<std::vector<int>> samplers_;     // per variable
  std::vector<VariableMask> below_, foreign_;  // per conditional
};

struct Draw {
  int conditional = -1;
  bool word = false;  // chosen by `complete`
  bool operator==(const Draw&) const = default;
};

/// One draw, or a Gibbs chain over the listed draws. In each sweep of a chain the players take turns in
/// random order. Each draws its variables anew, parents first.
struct Step {
  bool chain = false;
  std::vector<Draw> draws;  // in a chain: grouped by player, parents first
  bool operator==(const Step&) const = default;
};

struct Ambiguity {
  enum class Kind { one_target, one_target_in_a_chain, one_excludes_the_other };
  Kind kind = Kind::one_target;
  Draw first, second;
  /// For kind one_excludes_the_other: after `made` has drawn its target, `lost` would ignore that target.
  int made = -1, lost = -1;
};

struct Completion {
  std::vector<Step> steps;  // in order; up to the ambiguity, if there is one
  Variables completed;      // known or completed
  std::optional<Ambiguity> ambiguity;
  std::vector<Ambiguity> settled;  // ambiguities that were settled by rank
  bool exact = true;  // false: the search for the smallest chain reached its limit, and drawing ended
};

/// `words`: per variable the only player that draws it; this player may ignore known variables; -1: nobody
/// draws the variable. `rank`, per conditional: of two ambiguous draws only the one of lower rank is made, or
/// the first if the ranks are equal. Without ranks the search ends at an ambiguity.
Completion complete(const Players& players, const Variables& known, const std::map<int, int>& words = {},
                    const std::vector<int>& rank = {});

/// What a completion is needed for: the conditionals with parameters that get a term.
struct Terms {
  std::vector<int> conditionals;  // grouped by player
  struct LeftOut {
    int conditional = -1;
    Variables missing;
  };
  std::vector<LeftOut> left_out;
};
Terms terms_of(const Players& players, const Completion& completion);

/// Removes the steps that neither `needed` nor a later step needs. Returns the targets of their draws.
Variables prune(const Players& players, std::vector<Step>& steps, Variables needed);

}  // namespace completion
