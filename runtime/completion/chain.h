// Finds the Gibbs chain that completes variables which wait for one another. The chain covers the smallest
// set of missing variables in which each variable has an allowed draw while the rest of the set counts as
// known.
#pragma once
#include "runtime/completion/completion.h"

namespace completion {

/// For each missing variable, the conditionals that may draw it.
using Samplers = std::vector<std::vector<Draw>>;  // per variable

/// The input of a search for a chain. `samplers` contains no draw that `known` already rules out for good.
struct ChainProblem {
  const Players& players;
  const VariableMask& known;  // known or completed
  const Samplers& samplers;
};

/// The draws of a chain over `set` (sorted, all its variables missing), grouped by player, parents first.
/// Each player draws as many variables of the set as it may; the others count as known to it. Returns nothing
/// if some variable of the set has no allowed draw.
std::optional<std::vector<Draw>> chain_over(const ChainProblem& problem, const std::vector<int>& set);

/// The smallest set of variables that `chain_over` covers; among several of that size, the first in the order
/// of the variables. The search takes polynomial time if each variable has one sampler. A variable with
/// several different samplers adds branches. After `limit` branches the search returns the best set found so
/// far, and `exact` is false.
struct LeastSet {
  std::vector<int> variables;  // empty if there is no such set
  bool exact = true;
};
LeastSet least_waiting_set(const ChainProblem& problem, int64_t limit = 1 << 16);

}  // namespace completion
