// Help for sources that the rule of completion refuses: what to add to the file so that it is accepted. Each
// suggestion has been tried on the game before it is returned.
#pragma once
#include <map>
#include <optional>
#include <vector>

#include "runtime/completion/completion.h"

namespace game {

/// The completion of one source: the players and what is known.
struct SourceProblem {
  const completion::Players& players;
  completion::Variables known;
  std::map<int, int> words;  // by variable: the player that `complete` names for it
};

/// The smallest set of conditionals that solves the problem if `complete { v ~ player }` names their draws:
/// then there is no ambiguity and the source has a term. Of several such sets, it takes the one whose draws
/// ignore the fewest known or completed variables, then the one with the most terms. Empty if three draws are
/// not enough.
std::vector<int> words_that_help(const SourceProblem& problem);

/// Whether one more player that gives `target | parents` would give the source a term.
bool conditional_helps(const SourceProblem& problem, int target, std::vector<int> parents);

/// Whether a source that knows nothing gives the conditional a term.
bool generated_rows_help(const completion::Players& players, int conditional);

}  // namespace game
