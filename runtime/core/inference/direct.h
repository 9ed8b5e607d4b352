// Finds which conditionals, in which order, give some variables directly when others are known.
#pragma once
#include <optional>
#include <set>
#include <vector>

#include "runtime/core/image.h"

namespace core {

struct DirectOrder {
  std::vector<int> conditionals;  // parents first; each target once
  std::set<int> used;             // the known variables that the order reads
};

/// Nothing if the targets need a chain. Of several orders, takes the one that uses the most known variables.
/// On a tie, one player alone comes before several, and encoders come before decoders. A source's own `v ~
/// Family(...)` is used only for what no player can give.
std::optional<DirectOrder> find_direct_order(const Image& image, const std::set<int>& known,
                                             const std::vector<int>& targets);

/// The conditional of `target` that has parents: a decoder's if there is one, else any player's, else -1.
int generating_conditional(const Image& image, int target);

}  // namespace core
