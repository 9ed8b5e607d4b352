// Rows with missing values in learn blocks whose steps are compiled whole: bounds, `supervised`, and
// `symmetric` with sums. Which values a row misses is known when its file is read; so each pattern of missing
// variables becomes a source of its own when compiling, and the run takes those that its rows have.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "compiler/game/game.h"

namespace game {

/// The rows of a source that miss some of its variables.
struct Split {
  std::string name;  // "data without c", as its source in MissingGame::model and its outputs are called
  SourceId source;
  std::vector<VariableId> missing;
};

/// A split that a learn block does not admit.
struct RefusedSplit {
  size_t learn, split;
  std::string why;
};

/// The model with a source for each split, behind its own; its learn blocks learn from those too that give
/// them terms.
struct MissingGame {
  semantics::Model model;
  Game game;
  std::vector<Split> splits;
  std::vector<RefusedSplit> refused;
  /// The splits among the sources of a learn block, ascending.
  std::vector<size_t> splits_of(size_t learn) const;
};

/// Nothing where no learn block asks for it. At most 16 splits of a source, those that miss fewest first.
std::optional<MissingGame> derive_missing(const semantics::Model& model, const Game& game);

}  // namespace game
