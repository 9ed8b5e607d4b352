// Small synthetic sets with a known factor: columns `x` [2] and `z`, and `y` for
// semi_circles. z ~ N(0, 1), x is a curve at z plus Gaussian noise. Failure(bad_configuration) where n is no
// sensible number of rows.
#pragma once
#include <cstdint>
#include <string>

#include "runtime/data/table.h"

namespace data {

/// `set`: "figure8" "circle" "absolute" "clusters" "spiral_dots" "semi_circles".
Table draw_synthetic(const std::string& set, int64_t n, uint64_t seed);

}  // namespace data
