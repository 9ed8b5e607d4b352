// The squared maximum mean discrepancy of two sets of rows (Gretton et al. 2012, equation 3: unbiased, so
// that it may be below zero), as means over disjoint blocks of rows, whose spread gives the standard error.
#pragma once
#include "runtime/metrics/points.h"

namespace metrics {

/// The kernel (x.y / width + 1)^3 on features: the "kernel inception distance" where these are Inception's
/// (Binkowski et al. 2018). Both of one width, with at least `least_rows_for_distances` rows (frechet.h).
Estimate polynomial_distance(const Points& a, const Points& b);

/// Gaussian kernels of half, once and twice the median distance between rows of b, averaged.
Estimate gaussian_distance(const Points& a, const Points& b);

}  // namespace metrics
