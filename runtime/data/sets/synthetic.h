// Small synthetic data sets with a known factor: columns `x` [2] and `z`, and `y` for semi_circles. z ~ N(0,
// 1); x is the point of a curve at z plus Gaussian noise. Failure(bad_configuration) if n is not a possible
// number of rows.
#pragma once
#include <cstdint>
#include <string>

#include "runtime/data/table.h"

namespace data {

/// `set` is "figure8", "circle", "absolute", "clusters", "spiral_dots" or "semi_circles".
Table draw_synthetic(const std::string& set, int64_t n, uint64_t seed);

}  // namespace data
