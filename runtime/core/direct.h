// Which conditionals, in which order, give some variables directly when others are known.
#pragma once
#include <optional>
#include <set>
#include <vector>

#include "runtime/core/image.h"

namespace core {

struct DirectOrder {
  std::vector<int> conditionals;  // parents first; each target once
  std::set<int> used;             // of the known variables
};

/// Nothing where the targets need a chain. Of several orders the one that uses most of what is known; then
/// one player alone; then encoders before decoders. A source's own `v ~ Family(...)` gives only what no
/// player can.
std::optional<DirectOrder> find_direct_order(const Image& image, const std::set<int>& known,
                                             const std::vector<int>& targets);

/// The conditional of `target` in a decoder (else in any player) that has parents, or -1.
int generating_conditional(const Image& image, int target);

}  // namespace core
