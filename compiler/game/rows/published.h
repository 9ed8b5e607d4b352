// What a program publishes: `publish (c, x)`. In: the model. Out: how the players draw the variables without
// data, like the rows of `source generated { }`.
#pragma once
#include "compiler/game/game.h"

namespace game {

/// None if the file has no `publish`, and after an error: no player draws a variable, or two draws exclude
/// each other.
std::optional<Published> derive_published(const semantics::Model& model, const completion::Players& players,
                                          base::Report& report);

/// "rows of c, x, drawn by c ~ p(c); x ~ p(x | c)": what leaves the program, in the order of the draws.
std::string published_text(const semantics::Model& model, const Published& published);

}  // namespace game
