// The curves of several learn blocks in one set of plots. A bound, and what is found on held-out rows, mean
// the same in each block, so that the blocks share a plot; the utility of a player does not, and has its own.
#pragma once
#include <string>
#include <vector>

#include "runtime/core/commands/curves.h"

namespace core {

struct ComparedRuns {
  std::string learn;
  std::vector<std::vector<Chart>> seeds;  // the charts of each run
};

/// Means over the seeds, and bands of one standard deviation where there are several.
std::vector<Plot> compare_plots(const std::vector<ComparedRuns>& runs);

}  // namespace core
