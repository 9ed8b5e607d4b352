// What may be claimed of the game's equilibrium, and no more than is true. In: the model
// and its derived sources. The claim "unique" is for one decoder and one encoder of one conditional each,
// and holds where all sources show one distribution, which only their rows can tell.
#pragma once
#include "compiler/game/game.h"

namespace game {

Equilibrium judge_equilibrium(const semantics::Model& model, const Game& game);

/// A conditional with parameters whose variables no learning source knows together, if there is one.
std::optional<ConditionalId> never_seen_whole(const semantics::Model& model, const Game& game);

}  // namespace game
