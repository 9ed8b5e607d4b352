// What is certain about the equilibrium of the game. In: the model and its derived sources. `unique` is
// claimed only for one decoder and one encoder with one conditional each, and weights that do not change. It
// holds if all sources show one distribution, which only their rows can tell.
#pragma once
#include "compiler/game/game.h"
#include "compiler/game/play.h"

namespace game {

enum class Equilibrium { none, unique, perhaps_a_continuum };

Equilibrium judge_equilibrium(const semantics::Model& model, const Game& game, const Play& play);

/// A learned conditional such that no learning source knows all its variables; none if there is no such
/// conditional.
std::optional<ConditionalId> never_seen_whole(const semantics::Model& model, const Game& game,
                                              const Play& play);

}  // namespace game
