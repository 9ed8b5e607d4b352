// Model and game to tensor programs, before any pass. Learning phases have terms, not yet gradients; a row's
// term is weighted with its source's coefficient. Outputs of a phase: `player.variable@source`, the sum of
// the log-density over the rows; what its programs hand on is called `variable@source`. Every random draw of
// a learn step has a site of its own.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "compiler/game/game.h"
#include "compiler/tensor/translate.h"

namespace tensor {

/// Why no learn block of the model can be built, in words that follow "learn NAME"; none if they can.
std::optional<std::string> unsupported(const semantics::Model& model);

/// A term that counts only in steps whose last sweep drew one of its parents anew after its own target: in
/// the others its expected gradient is zero. `coefficient` is its own, behind those of the sources.
struct Tag {
  std::string term;  // player.variable@source
  int coefficient = -1;
  int part = -1;                // that draws its target
  std::vector<int> redrawn_by;  // parts that draw its parents
};

/// A Gibbs chain over one source's rows: in every sweep all parts, in an order drawn at `site`. A part reads
/// and writes `variable@source`.
struct Chain {
  semantics::SourceId source;
  int sweeps = 0;
  uint32_t site = 0;
  std::vector<Program> parts;
  std::vector<Tag> tags;
};

/// What comes before a phase's last program: rows and draws up to the chains, then the chains.
struct Stage {
  Program program;
  std::vector<Chain> chains;
};

/// What the record says beside a phase's terms: an output, summed over its source's rows, counts `factor`
/// times in the utilities of all players that maximize it.
struct Objective {
  std::string output;
  double factor = 1;     // 0: it is recorded only
  std::string schedule;  // the key of the learn block whose number scales it in each step; or empty
};

/// One phase of a learning step: the stages, then `program` with the terms and updates.
struct Phase {
  std::vector<Stage> stages;  // none where no source needs a chain
  Program program;
  std::vector<Objective> objective;  // of a bound: all its outputs; else none, and every output is a term
};

/// `learn symmetric`. Alternating: one phase per player with terms, in declaration order, each with only
/// the sources that it reads. Simultaneous: one phase, all updates last.
std::vector<Phase> build_phases(const ModelBasis& basis, const game::Game& game,
                                const semantics::Learn& learn, bool simultaneous);

/// Programs over the caller's rows (batch class 0 is -1); inputs are named as the parent variables.
Program build_draw(const ModelBasis& basis,
                   semantics::ConditionalId conditional);  // output: the target
std::optional<Program> build_mean(const ModelBasis& basis,
                                  semantics::ConditionalId conditional);  // `mean`
/// A chain's start: the target, drawn from the family at its defaults; no inputs.
Program build_initial(const ModelBasis& basis, semantics::ConditionalId conditional);
/// Takes the target too; gives `log_density`, one number a row.
Program build_log_density(const ModelBasis& basis, semantics::ConditionalId conditional);
/// What the conditional's player maximizes on rows whose values are all given: takes parents and target,
/// gives `player.variable`, the sum of the log-densities, and one update. Every row has coefficient 0 (the
/// runtime sets it). Only of a conditional with parameters.
Program build_term(const ModelBasis& basis, semantics::ConditionalId conditional);
/// The rows of a source: outputs named as its known variables.
Program build_source_rows(const ModelBasis& basis, semantics::SourceId source);

}  // namespace tensor
