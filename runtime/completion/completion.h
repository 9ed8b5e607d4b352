// Section "The game" of the language over plain indices: which missing variables the players complete, in
// which order, when some are known; and which conditionals that gives a term. In: the conditionals, what is
// known, what `complete` says. Out: draws and chains in order, or the two draws that are ambiguous.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "runtime/completion/variable_mask.h"

namespace completion {

using Variables = std::set<int>;

/// `target | parents` of a player; player -1 stands for no player's (a source's own), which completes
/// nothing.
struct Conditional {
  int player = -1;
  int target = -1;
  std::vector<int> parents;
  bool learned = false;  // it has parameters
};

/// The players' graphs, which are the same for every source. Conditionals are numbered as given; a player's
/// own form no cycle.
class Players {
 public:
  Players(int variables, std::vector<Conditional> conditionals);

  int variables() const { return variables_; }
  int count() const { return count_; }
  const std::vector<Conditional>& conditionals() const { return conditionals_; }
  const Conditional& operator[](int conditional) const {
    return conditionals_[static_cast<size_t>(conditional)];
  }

  /// The players' conditionals for the variable, in the order of the players.
  const std::vector<int>& samplers(int variable) const { return samplers_[static_cast<size_t>(variable)]; }

  /// The descendants of the conditional's target in its player's graph.
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

/// One draw, or a Gibbs chain over the listed draws: each sweep lets the players, in random order, draw anew
/// what they give, parents first.
struct Step {
  bool chain = false;
  std::vector<Draw> draws;  // in a chain grouped by player, parents first
  bool operator==(const Step&) const = default;
};

struct Ambiguity {
  enum class Kind { one_target, one_target_in_a_chain, one_excludes_the_other };
  Kind kind = Kind::one_target;
  Draw first, second;
  /// one_excludes_the_other: once `made`'s target is drawn, drawing `lost`'s would ignore it.
  int made = -1, lost = -1;
};

struct Completion {
  std::vector<Step> steps;  // in order; up to the ambiguity, if there is one
  Variables completed;      // known or completed
  std::optional<Ambiguity> ambiguity;
  std::vector<Ambiguity> settled;  // by rank
  bool exact = true;  // false: the search for the smallest chain was given up, nothing more is drawn
};

/// `words`: per variable the player that alone gives it, and may ignore what is known; -1: nobody gives it.
/// `rank`, per conditional: of two ambiguous draws the one of lower rank (then the first) is made alone;
/// where there are no ranks the search ends at an ambiguity.
Completion complete(const Players& players, const Variables& known, const std::map<int, int>& words = {},
                    const std::vector<int>& rank = {});

/// What a completion is for: the conditionals with parameters that it gives a term.
struct Terms {
  std::vector<int> conditionals;  // grouped by player
  struct LeftOut {
    int conditional = -1;
    Variables missing;
  };
  std::vector<LeftOut> left_out;
};
Terms terms_of(const Players& players, const Completion& completion);

/// Takes out the steps whose draws neither `needed` nor a later step needs; returns their targets.
Variables prune(const Players& players, std::vector<Step>& steps, Variables needed);

}  // namespace completion
