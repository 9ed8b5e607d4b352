// Which rows of a source other models draw. `z = run("simulator.vae", from = RUN).z` are rows of a trained
// model; `x = peer("NAME").x` are rows that another program publishes while it learns.
#pragma once
#include "compiler/game/game.h"

namespace game {

/// The source's variables by file and run, in the order of its lines.
std::vector<Simulated> simulated_by(const semantics::Model& model, const semantics::Source& source);

/// The source's variables by peer, in the order of its lines.
std::vector<FromPeer> peers_of(const semantics::Model& model, const semantics::Source& source);

}  // namespace game
