// Rows with missing values, in learn blocks whose steps are completely compiled: bounds, `supervised`, and
// `symmetric` with sums. Which values are missing is known only when the file is read. So each pattern of
// missing variables becomes a source of its own (a split), and the run uses the splits that its rows need.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "compiler/game/game.h"

namespace game {

/// The rows of a source in which just these variables are missing.
struct Split {
  std::string name;  // "data without c": the name of its source in MissingGame::model and in outputs
  SourceId source;
  std::vector<VariableId> missing;
};

/// A split that a learn block cannot learn from.
struct RefusedSplit {
  size_t learn, split;
  std::string why;
};

/// The model with a source for each split, after its own sources. A learn block also learns from the splits
/// of its sources that give it terms.
struct MissingGame {
  semantics::Model model;
  Game game;
  std::vector<Split> splits;
  std::vector<RefusedSplit> refused;
  /// The splits among the sources of a learn block.
  std::vector<size_t> splits_of(size_t learn) const;
};

/// None if no learn block needs it. A source has at most 16 splits; those with the fewest missing variables
/// come first.
std::optional<MissingGame> derive_missing(const semantics::Model& model, const Game& game);

}  // namespace game
