// How a query "targets | known" is answered: which conditionals are drawn once, which again and again in a
// Gibbs chain, and in which order. In: the image's conditionals and what is known. Out: steps, and what must
// be said of them. Section "The game" of the language where it has an answer; else what ignores least.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/core/image.h"

namespace core {

struct Query {
  std::vector<int> targets;
  std::set<int> known;    // wholly
  std::set<int> partial;  // known in part: what is missing is drawn, what is known read
  std::map<int, int> by;  // variable -> the player that alone gives it, and may ignore what is known
};

/// One draw, or a chain: each sweep lets the groups, in random order, draw anew what they give.
struct Step {
  bool chain = false;
  std::vector<std::vector<int>> groups;  // of conditionals: one player's, parents first
};

struct Plan {
  std::vector<Step> steps;
  std::set<int> used;  // of what is known, wholly or in part
  struct Ignored {
    int conditional = -1, variable = -1;  // it does not regard this known variable
  };
  std::vector<Ignored> ignored;  // empty where the answer is that of "The game"
  struct Settled {
    int chosen = -1, other = -1;  // conditionals: both could be drawn, the second is not
  };
  std::vector<Settled> settled;

  /// Of the first chain; steps.size() where there is none.
  size_t first_chain() const;
  /// The conditional that draws the variable; -1 where none does.
  int sampler(const Image& image, int variable) const;
};

/// Where two players could give a variable, encoders go before players, these before decoders, these before a
/// source's own `v ~ Family(...)`, then the earlier declared. Of several sets of draws the one of the fewest
/// variables. Failure(bad_configuration) naming the variable that nobody can give, or that nothing draws from
/// what is known; Failure(usage) where `by` names a player that does not give the variable.
Plan make_plan(const Image& image, const Query& query);

/// "q(z | x)"; the source's name where no player's.
std::string name_of_conditional(const Image& image, int conditional);
/// "z ~ q(z | x), chain of x ~ p(x | c, z) and c ~ q(c | x)".
std::string describe(const Image& image, const Plan& plan);

}  // namespace core
