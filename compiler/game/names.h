// How the game names things in messages: "x ~ p(x | z)", "log q(z | x)", a player's utility. The messages of
// derive and of explain use these texts.
#pragma once
#include <string>

#include "compiler/game/game.h"
#include "compiler/game/play.h"

namespace game {

std::string conditional_text(const semantics::Model& model, ConditionalId id);  // p(x | z)
std::string draw_text(const semantics::Model& model, ConditionalId id);         // x ~ p(x | z)
std::string variable_names(const semantics::Model& model,
                           const std::vector<semantics::VariableId>& variables);  // "c, x"
std::string weight_text(double weight);                                           // "" for 1, else "5 "
/// The sum over sources of weight E_source log player(target | parents); "0" without terms.
std::string utility_text(const semantics::Model& model, const Game& game, semantics::PlayerId player,
                         const Play& play);

}  // namespace game
