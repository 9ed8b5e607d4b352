// Helps for sources that the rule of completion refuses: what to add to the file so that it is accepted. Each
// suggestion has been tried on the game before it is returned.
#pragma once
#include <map>
#include <optional>
#include <vector>

#include "runtime/completion/completion.h"

namespace game {

/// What one source is completed from.
struct SourceProblem {
  const completion::Players& players;
  completion::Variables known;
  std::map<int, int> words;  // per variable the player that the file names in `complete`
};

/// The fewest conditionals whose draws, named in `complete { v ~ player }`, leave neither an ambiguity nor a
/// source without terms. Of several such sets: the draws that ignore the fewest known or completed variables,
/// then the one with the most terms. Empty where three words are not enough.
std::vector<int> words_that_help(const SourceProblem& problem);

/// Whether one more player that gives `target | parents` would give the source a term.
bool conditional_helps(const SourceProblem& problem, int target, std::vector<int> parents);

/// Whether a source that knows nothing gives the conditional a term.
bool generated_rows_help(const completion::Players& players, int conditional);

}  // namespace game
