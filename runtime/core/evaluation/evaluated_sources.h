// The sources that measures are taken on.
#pragma once
#include <vector>

#include "runtime/core/sampler.h"

namespace core {

/// Those of weight 0 where there are any, else all; without those that have no rows of data.
std::vector<int> evaluated_sources(const Image& image, Sampler& sampler);

}  // namespace core
