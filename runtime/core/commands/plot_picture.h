// A plot as a picture, for files that are no pages.
#pragma once
#include "runtime/core/commands/plot.h"
#include "runtime/data/png.h"

namespace core {

/// White ground, axes with ticks and names, the title above and the legend to the right.
data::Picture plot_picture(const Plot& plot);

}  // namespace core
