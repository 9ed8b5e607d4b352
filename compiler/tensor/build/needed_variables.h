// Which variables of a source's completed rows the terms of some players need. In: the model, the game of the
// source, and the players. Out: for every variable, whether a term reads it, directly or through a draw.
#pragma once
#include <cstdint>
#include <map>
#include <vector>

#include "compiler/game/game.h"
#include "compiler/semantics/model.h"

namespace tensor {

class NeededVariables {
 public:
  explicit NeededVariables(const semantics::Model& model) : model_(model) {}

  /// Indexed by variable. If a Gibbs chain completes the rows, all variables are needed: a sweep hands on
  /// whole rows.
  std::vector<bool> of(const game::SourceGame& source, const std::vector<int>& players);

  /// How many random draws the conditional's sample makes.
  uint32_t draws_of(semantics::ConditionalId id);
  /// How many random draws the value of given `place` of the source makes.
  uint32_t draws_of(semantics::SourceId id, size_t place) { return givens_of(id)[place].draws; }

 private:
  struct Given {
    std::vector<semantics::VariableId> parents;
    uint32_t draws = 0;
  };
  const std::vector<Given>& givens_of(semantics::SourceId id);

  const semantics::Model& model_;
  std::vector<std::vector<Given>> givens_;              // by source, computed at the first use
  std::map<semantics::ConditionalId, uint32_t> draws_;  // by conditional, computed at the first use
};

}  // namespace tensor
