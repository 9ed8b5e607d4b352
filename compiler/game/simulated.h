// Which of a source's rows another trained model draws: `z = run("simulator.vae", from = RUN).z`.
#pragma once
#include "compiler/game/game.h"

namespace game {

/// The source's variables by file and run, in the order of its lines.
std::vector<Simulated> simulated_by(const semantics::Model& model, const semantics::Source& source);

}  // namespace game
