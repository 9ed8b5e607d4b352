// A plot as a picture, for files that are not pages.
#pragma once
#include "runtime/core/commands/plots/plot.h"
#include "runtime/data/pictures/png.h"

namespace core {

/// White background, axes with ticks and names, the title above, the legend to the right.
data::Picture plot_picture(const Plot& plot);

}  // namespace core
