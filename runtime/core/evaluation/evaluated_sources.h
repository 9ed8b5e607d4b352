// The sources on which metrics are measured.
#pragma once
#include <vector>

#include "runtime/core/inference/sampler.h"

namespace core {

/// The sources of weight 0 if there are any, else all sources; only those that have rows of data.
/// Failure(bad_configuration) if none is left because each of their rows has a missing value.
std::vector<int> evaluated_sources(const Image& image, Sampler& sampler);

}  // namespace core
