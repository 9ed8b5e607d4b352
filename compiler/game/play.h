// Which game a learn block plays: the weights of the sources, and the players that learn. A block may have
// other weights or sources than the file declares, and may freeze players.
#pragma once
#include <string>
#include <vector>

#include "compiler/semantics/model.h"

namespace game {

/// A weight that follows a schedule changes over the steps; `value` is then its largest value.
struct Weight {
  double value = 0;
  bool changes = false;
  bool operator==(const Weight&) const = default;
};

struct Play {
  std::vector<Weight> weights;  // by source; 0 for sources that are not learned from
  std::vector<bool> learns;     // by player
  const Weight& weight(semantics::SourceId source) const {
    return weights.at(static_cast<size_t>(source.index));
  }
  bool operator==(const Play&) const = default;
};

/// All players learn, from the sources as they are declared.
Play declared_play(const semantics::Model& model);
Play play_of(const semantics::Model& model, const semantics::Learn& learn);

/// The sources of the block whose weight is not 0.
std::vector<semantics::SourceId> learned_sources(const semantics::Model& model,
                                                 const semantics::Learn& learn);

/// Whether rows of these sources may miss variables, by their data or by their expressions.
bool learned_rows_may_miss(const semantics::Model& model, const semantics::Learn& learn);

/// Whether the block is `symmetric`, but plays another game than the declared one.
bool plays_another_game(const semantics::Model& model, const semantics::Learn& learn);
/// Whether a `symmetric` block plays the declared game, or the file has no `learn`.
bool plays_declared_game(const semantics::Model& model);

/// "" for 1, else "5 "; "weight " for a weight that changes.
std::string weight_text(const Weight& weight);

}  // namespace game
