// Which variables a learn block sums over instead of drawing them, for each source. In: the game with its
// bounds. Out: the sums, or errors that say why a sum is not possible.
#pragma once
#include "compiler/game/game.h"

namespace game {

/// By learn block; empty if the block enumerates nothing.
std::vector<std::vector<Sum>> derive_sums(const semantics::Model& model, const Game& game,
                                          base::Report& report);

}  // namespace game
