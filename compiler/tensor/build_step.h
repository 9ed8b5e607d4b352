// Model and game to tensor programs, before any pass. Learning phases have terms, not yet gradients; a row's
// term is weighted with its source's coefficient. Outputs of a phase: `player.variable@source`, the sum of
// the log-density over the rows. Every random draw of a learn step has a site of its own.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "compiler/game/game.h"
#include "compiler/tensor/program.h"

namespace tensor {

/// Why `learn` cannot be built, in words that follow "learn NAME"; none if it can.
std::optional<std::string> unsupported(const semantics::Model& model, const game::Game& game,
                                       const semantics::Learn& learn);

/// `learn symmetric`. Alternating: one program per player with terms, in declaration order, each with only
/// the sources that it reads. Simultaneous: one program, all updates last.
std::vector<Program> build_phases(const semantics::Model& model, const game::Game& game,
                                  const semantics::Learn& learn, bool simultaneous);

/// Programs over the caller's rows (batch class 0 is -1); inputs are named as the parent variables.
Program build_draw(const semantics::Model& model,
                   semantics::ConditionalId conditional);  // output: the target
std::optional<Program> build_mean(const semantics::Model& model,
                                  semantics::ConditionalId conditional);  // `mean`
/// A chain's start: the target, drawn from the family at its defaults; no inputs.
Program build_initial(const semantics::Model& model, semantics::ConditionalId conditional);
/// Takes the target too; gives `log_density`, one number a row.
Program build_log_density(const semantics::Model& model, semantics::ConditionalId conditional);
/// The rows of a source: outputs named as its known variables.
Program build_source_rows(const semantics::Model& model, semantics::SourceId source);

}  // namespace tensor
