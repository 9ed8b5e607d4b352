// How a query "targets | known" is answered: which conditionals are drawn once, which are drawn again and
// again in a Gibbs chain, and in which order. In: the image's conditionals and what is known. Out: steps, and
// what the user must be told about them. Follows section "The game" of the language if that gives an answer.
// Otherwise, each variable is drawn by the conditional that ignores the fewest known variables.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/core/image.h"

namespace core {

struct Query {
  std::vector<int> targets;
  std::set<int> known;    // known completely
  std::set<int> partial;  // known in part: missing elements are drawn, known ones are read
  std::map<int, int> by;  // variable -> the player that alone gives it, even if it ignores known variables
  /// Rows of a source that knows `known`, if the game completes one: the draws do not depend on which of the
  /// variables are targets. Else every target is drawn in the simplest way.
  bool of_source = false;
};

/// A direct draw, or a chain. In each sweep of a chain, the groups take turns in random order, and each draws
/// its targets anew.
struct Step {
  bool chain = false;
  std::vector<std::vector<int>> groups;  // groups of conditionals: each of one player, parents first
};

struct Plan {
  std::vector<Step> steps;
  std::set<int> used;  // the variables, known completely or in part, that are read
  struct Ignored {
    int conditional = -1, variable = -1;  // the conditional ignores this known variable
  };
  std::vector<Ignored> ignored;  // empty if "The game" gives the answer
  struct Settled {
    /// Conditionals that can both draw the variable: `chosen` is used, `other` is not
    int chosen = -1, other = -1;
  };
  std::vector<Settled> settled;

  /// The index of the first chain; steps.size() if there is no chain.
  size_t first_chain() const;
  /// The conditional that draws the variable; -1 if none does.
  int sampler(const Image& image, int variable) const;
};

/// If several players can give a variable, encoders come before players, players before decoders, and
/// decoders before a source's own `v ~ Family(...)`; on a tie, the first declared is taken. If several sets
/// of draws are possible, one without a chain is taken, and among these the one with the fewest variables.
/// Failure(bad_configuration) names a variable that no player can give, or that is not drawn from anything
/// known. Failure(usage) if `by` names a player that does not give the variable.
Plan make_plan(const Image& image, const Query& query);

/// "q(z | x)"; if no player has the conditional, the source's name stands in place of "q".
std::string name_of_conditional(const Image& image, int conditional);
/// "z ~ q(z | x); then a chain of x ~ p(x | c, z), c ~ q(c | x)".
std::string describe(const Image& image, const Plan& plan);

}  // namespace core
