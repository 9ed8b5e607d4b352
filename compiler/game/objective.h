// What a learn block maximizes, with one line for each source: the bound of its method, or the terms of given
// rows.
#pragma once
#include <string>
#include <vector>

#include "compiler/game/game.h"

namespace game {

/// Whether the utilities of the game are learned: in `symmetric`, or if the file has no `learn`.
bool plays_the_game(const semantics::Model& model);

/// One line for each source that the learn block learns from, such as "E_images [ log p(x | z) - KL(q(z | x)
/// || p(z)) ]". None for `symmetric`.
std::vector<std::string> objective_lines(const semantics::Model& model, const Game& game, size_t learn);

}  // namespace game
