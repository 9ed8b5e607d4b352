// How far two sets of rows are apart, each taken as a normal distribution of its mean and covariance:
// |m - m'|^2 + tr(C + C' - 2 (C^1/2 C' C^1/2)^1/2), the squared 2-Wasserstein distance of the two
// (Dowson and Landau 1982; on features of pictures: Heusel et al. 2017).
#pragma once
#include "runtime/metrics/points.h"

namespace metrics {

/// Fewest rows of a set: each of the groups of the jackknife has one.
constexpr int64_t least_rows_for_distances = 20;

/// Both of one width and of at least `least_rows_for_distances` rows. The value is high by about
/// 1 / rows; its standard error is by a jackknife over groups of rows of both sets.
Estimate frechet_distance(const Points& a, const Points& b);

}  // namespace metrics
