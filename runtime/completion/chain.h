// The Gibbs chain that completes variables which wait for one another: the smallest set of missing variables
// of which each has a draw that is allowed while the rest of the set counts as known.
#pragma once
#include "runtime/completion/completion.h"

namespace completion {

/// Which conditionals may draw a missing variable here.
using Samplers = std::vector<std::vector<Draw>>;  // per variable

/// What a search for a chain starts from. `samplers` holds no draw that `known` already rules out for good.
struct ChainProblem {
  const Players& players;
  const VariableMask& known;  // known or completed
  const Samplers& samplers;
};

/// The draws of a chain over `set` (sorted, all of it missing), grouped by player, parents first; none where
/// some variable of the set has no allowed draw. Each player draws as many of the set as it may: what it does
/// not draw counts as known to it.
std::optional<std::vector<Draw>> chain_over(const ChainProblem& problem, const std::vector<int>& set);

/// The set of fewest variables that `chain_over` covers; of several the first in the order of the variables.
/// Exact. Polynomial where each variable has one sampler; each variable with several that differ adds a
/// branch, and after `limit` branches the best set found so far is returned with `exact` = false.
struct LeastSet {
  std::vector<int> variables;  // empty: there is none
  bool exact = true;
};
LeastSet least_waiting_set(const ChainProblem& problem, int64_t limit = 1 << 16);

}  // namespace completion
