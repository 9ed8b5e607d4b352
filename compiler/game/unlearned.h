// What a learn block does not learn, though the file may look as if it did: labels that no term reads, and
// conditionals without a term, such as an encoder's class under `elbo` without `alpha`.
#pragma once
#include <string>
#include <vector>

#include "compiler/game/game.h"

namespace game {

/// One line for each variable that a source of the learn block gives and no term reads there (none for a
/// source whose rows are all skipped). For bounds also one line for each conditional with parameters that is
/// in no term.
std::vector<std::string> unlearned_lines(const semantics::Model& model, const Game& game, size_t learn);

}  // namespace game
