// From a model and its game to tensor programs, before any pass. The phases of learning have terms but no
// gradients yet; a row's term is weighted with the coefficient of its source. An output
// `player.variable@source` of a phase is the sum of the log-density over the rows. `variable@source` is a
// value that one program hands to the next. Every random draw of a learn step has its own site.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "compiler/game/game.h"
#include "compiler/tensor/build/translate.h"
#include "runtime/schema/description.h"

namespace tensor {

/// Why vaec can build no learn block of the model, as the end of a sentence that starts with "learn NAME".
/// None if it can build them all.
std::optional<std::string> unsupported(const semantics::Model& model);

using schema::Tag;

/// A Gibbs chain over the rows of one source. In every sweep all parts run, in an order drawn at `site`. A
/// part reads and writes `variable@source`.
struct Chain {
  semantics::SourceId source;
  int sweeps = 0;
  uint32_t site = 0;
  std::vector<Program> parts;
  std::vector<Tag> tags;
};

/// One step before the last program of a phase: the rows and draws that chains need, then the chains.
struct Stage {
  Program program;
  std::vector<Chain> chains;
};

/// A part of the objective, and the key of the learn block that scales it in each step, or empty.
struct Objective : schema::Objective {
  std::string schedule;
};

/// One phase of a learning step: the stages, then `program` with the terms and updates.
struct Phase {
  std::vector<Stage> stages;  // empty if no source needs a chain
  Program program;
  std::vector<Objective> objective;  // all outputs of a bound; empty otherwise: every output is then a term
};

/// The phases of `learn symmetric`. Alternating: one phase for each player that has terms, in the order of
/// declaration, each with only the sources that it reads. Simultaneous: one phase, with all updates at its
/// end.
std::vector<Phase> build_phases(const ModelBasis& basis, const game::Game& game,
                                const semantics::Learn& learn, bool simultaneous);

/// Programs over the caller's rows (batch class 0 is -1). Inputs have the names of the parents.
Program build_draw(const ModelBasis& basis,
                   semantics::ConditionalId conditional);  // output: the target
std::optional<Program> build_mean(const ModelBasis& basis,
                                  semantics::ConditionalId conditional);  // `mean`
/// The start of a chain: a draw of the target from the family with its default parameters. There are no
/// inputs.
Program build_initial(const ModelBasis& basis, semantics::ConditionalId conditional);
/// The target is an input too. The output `log_density` is one number for each row.
Program build_log_density(const ModelBasis& basis, semantics::ConditionalId conditional);
/// What the conditional's player maximizes on rows whose values are all given. Inputs are the parents and the
/// target. The output `player.variable` is the sum of the log-densities, and there is one update. Every row
/// is weighted with coefficient 0, which the runtime sets. The conditional must have parameters.
Program build_term(const ModelBasis& basis, semantics::ConditionalId conditional);
/// The rows of a source. Outputs have the names of its known variables.
Program build_source_rows(const ModelBasis& basis, semantics::SourceId source);

}  // namespace tensor
