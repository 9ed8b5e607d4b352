// The squared maximum mean discrepancy of two sets of rows (Gretton et al. 2012, equation 3). The estimate is
// unbiased, so it can be below zero. It is the mean over disjoint blocks of rows, and the spread of the
// blocks gives the standard error.
#pragma once
#include "runtime/metrics/points.h"

namespace metrics {

/// With the kernel (x.y / width + 1)^3. On features of the Inception network this is the "kernel inception
/// distance" (Binkowski et al. 2018). Both sets must have the same width and at least
/// `least_rows_for_distances` rows (frechet.h).
Estimate polynomial_distance(const Points& a, const Points& b);

/// The mean of three Gaussian kernels, whose widths are half, once and twice the median distance between rows
/// of b.
Estimate gaussian_distance(const Points& a, const Points& b);

}  // namespace metrics
