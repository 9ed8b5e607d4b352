// The game of `learn supervised`: it has the terms whose variables a source gives, and nothing is drawn.
#pragma once
#include "compiler/game/game.h"

namespace game {

/// The conditionals with parameters whose target and parents the source gives.
std::vector<ConditionalId> given_terms(const semantics::Model& model, const semantics::Source& source);

Game supervised(const semantics::Model& model, const Game& game);

}  // namespace game
