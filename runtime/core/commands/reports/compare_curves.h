// The curves of several learn blocks in one set of plots. A bound, and results on held-out rows, mean the
// same in each block, so the blocks share a plot. The utility of a player does not, so each block has a plot
// of its own for it.
#pragma once
#include <string>
#include <vector>

#include "runtime/core/commands/plots/curves.h"

namespace core {

struct ComparedRuns {
  std::string learn;
  std::vector<std::vector<Chart>> seeds;  // the charts of each run
};

/// Means over the seeds. If there are several seeds: also bands of one standard deviation.
std::vector<Plot> compare_plots(const std::vector<ComparedRuns>& runs);

}  // namespace core
