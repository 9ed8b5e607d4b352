// What sources give and a learn block learns nothing from: labels whose encoder has no term, for one.
#pragma once
#include <string>
#include <vector>

#include "compiler/game/game.h"

namespace game {

/// One line for each variable that a source of the learn block gives, and that is in none of the terms of its
/// method there; a source whose rows are skipped wholly has none.
std::vector<std::string> unlearned_lines(const semantics::Model& model, const Game& game, size_t learn);

}  // namespace game
