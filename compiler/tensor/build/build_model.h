// All programs of a model's executable, as kernel programs. In: a model and its game. Out: the programs, and
// what uses each of them. A learn block that cannot be built has a reason instead.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "compiler/game/rows/missing.h"
#include "compiler/tensor/build/build_step.h"
#include "compiler/tensor/passes.h"

namespace tensor {

/// Programs are named by their index in `programs` (-1: none).
struct ModelPrograms {
  struct OfConditional {
    int draw = -1, mean = -1, log_density = -1, initial = -1, term = -1, jacobian = -1;
  };
  /// The programs that an executable exports for one conditional, before any pass.
  struct Graphs {
    Program parameters, log_density, sample;
    std::optional<Program> mean;
  };
  struct OfChain {
    int source = -1, sweeps = 0;
    uint32_t site = 0;
    std::vector<int> parts;
    std::vector<Tag> tags;
  };
  struct OfStage {
    int program = -1;
    std::vector<OfChain> chains;
  };
  struct OfPhase {
    std::vector<OfStage> stages;
    int program = -1;
    std::vector<Objective> objective;
  };
  struct OfLearn {
    std::vector<OfPhase> alternating, simultaneous;
    std::vector<semantics::SourceId> skipped;  // sources whose bound has no parameters
    std::vector<std::string> unlearned;        // notes about variables that sources give and no term reads
    int multiplier = -1;                       // the index of libi's coefficient
    /// Why there are no phases, as the end of a sentence that starts with "learn NAME"; else empty.
    std::string unavailable;
    /// The same for rows with missing values, where each split is a source of its own. Empty if no row of the
    /// learned sources can have missing values, or if the run composes its steps itself.
    struct {
      std::vector<OfPhase> alternating, simultaneous;
      std::vector<size_t> splits;  // the splits from which it learns
      std::vector<game::RefusedSplit> refused;
    } missing;
  };
  std::vector<KernelProgram> programs;
  std::vector<int> source_rows;  // by source: its program
  std::vector<OfConditional> conditionals;
  std::vector<std::optional<Graphs>> graphs;  // by conditional; only those of players
  std::vector<OfLearn> learns;
  std::vector<game::Split> splits;  // programs number them as sources, after the sources of the model
};

/// `missing`: the game of rows with missing values, if some learn block needs it.
ModelPrograms build_model(const semantics::Model& model, const game::Game& game,
                          const std::optional<game::MissingGame>& missing, const Trace& trace = {});

/// Only the programs that draw rows of a model: for each conditional, its draw and its first value.
ModelPrograms build_draws(const semantics::Model& model);

}  // namespace tensor
