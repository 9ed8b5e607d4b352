// The distance of two sets of rows, each approximated by the normal distribution with its mean and
// covariance: |m - m'|^2 + tr(C + C' - 2 (C^1/2 C' C^1/2)^1/2), the squared 2-Wasserstein distance of the two
// distributions (Dowson and Landau 1982; on features of pictures: Heusel et al. 2017).
#pragma once
#include "runtime/metrics/points.h"

namespace metrics {

/// The smallest number of rows in a set: each group of the jackknife then has one.
constexpr int64_t least_rows_for_distances = 20;

/// Both sets must have the same width and at least `least_rows_for_distances` rows. The value is too high by
/// about 1 / rows. Its standard error comes from a jackknife over groups of rows of both sets.
Estimate frechet_distance(const Points& a, const Points& b);

}  // namespace metrics
