// Which variables a learn block sums over in place of drawing them, source by source. In: the game with its
// bounds. Out: the sums; or errors that say why one cannot be made.
#pragma once
#include "compiler/game/game.h"

namespace game {

/// Per learn block; empty where it enumerates nothing.
std::vector<std::vector<Sum>> derive_sums(const semantics::Model& model, const Game& game,
                                          base::Report& report);

}  // namespace game
