// Inferred latents against true factors: which is which, and how well they correlate.
#pragma once
#include "runtime/metrics/points.h"

namespace metrics {

/// The assignment of rows to columns of `gain` [rows, columns] with the largest sum, each column taken at
/// most once: per row its column, -1 where there are fewer columns than rows and it gets none. By shortest
/// augmenting paths (Kuhn 1955; Jonker and Volgenant 1987), O(n^3).
std::vector<int> best_assignment(const std::vector<double>& gain, int rows, int columns);

struct Correlation {
  Estimate mean;                // of |correlation| over the factors
  std::vector<int> latents;     // per factor the latent matched with it, -1 without
  std::vector<double> matched;  // per factor the correlation with it, signed; 0 without
};

/// The mean correlation coefficient (MCC; Hyvarinen and Morioka 2016): Pearson's correlations of each factor
/// with each latent, matched so that the sum of their absolute values is largest. A factor without a latent,
/// or one of the two that does not vary, counts 0. The same number of rows, at least
/// `least_rows_for_distances` (frechet.h); standard error by a jackknife over groups of rows.
Correlation correlate(const Points& factors, const Points& latents);

}  // namespace metrics
