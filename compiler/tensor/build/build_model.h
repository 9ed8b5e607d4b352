// All programs of a model's executable, as kernel programs. In: a model and its game. Out: the programs, and
// what uses each of them. A learn block that cannot be built has a reason instead.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "compiler/game/rows/missing.h"
#include "compiler/tensor/build/build_step.h"
#include "compiler/tensor/passes.h"
#include "runtime/schema/description.h"

namespace tensor {

/// What uses the programs names them by their index in `programs` (-1: none).
struct ModelPrograms {
  /// The programs that an executable exports for one conditional, before any pass.
  struct Graphs {
    Program parameters, log_density, sample;
    std::optional<Program> mean;
  };
  std::vector<KernelProgram> programs;
  std::vector<schema::OptimizerProgram> optimizers;
  int clip = -1;                 // bounds a gradient's norm
  std::vector<int> source_rows;  // by source: its program
  std::vector<schema::ConditionalPrograms> conditionals;
  std::vector<std::optional<Graphs>> graphs;  // by conditional; only those of players
  std::vector<schema::Learn> learns;          // without the keys that the file gives
  std::vector<game::Split> splits;  // programs number them as sources, after the sources of the model
};

/// `missing`: the game of rows with missing values, if some learn block needs it. `for_gpu`: the programs
/// also run on a GPU.
ModelPrograms build_model(const semantics::Model& model, const game::Game& game,
                          const std::optional<game::MissingGame>& missing, const Trace& trace = {},
                          bool for_gpu = false);

/// Only the programs that draw rows of a model: for each conditional, its draw and its first value.
ModelPrograms build_draws(const semantics::Model& model);

}  // namespace tensor
