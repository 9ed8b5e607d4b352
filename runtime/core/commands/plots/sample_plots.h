// Plots of the values that SampleFigures drew: those of the data and those of the model.
#pragma once
#include <nlohmann/json.hpp>
#include <vector>

#include "runtime/core/commands/plots/plot.h"

namespace core {

/// A scatter plot of the first two columns, a histogram of each column, and a plot for each variable of
/// lines.
std::vector<Plot> sample_plots(const nlohmann::json& figures);

}  // namespace core
