// Plots of what SampleFigures drew: the data's values and the model's.
#pragma once
#include <nlohmann/json.hpp>
#include <vector>

#include "runtime/core/commands/plot.h"

namespace core {

/// A scatter of the first two columns, a histogram of each column, and a plot for each variable of lines.
std::vector<Plot> sample_plots(const nlohmann::json& figures);

}  // namespace core
