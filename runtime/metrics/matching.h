// Compares inferred latents with true factors: which latent matches which factor, and how well they
// correlate.
#pragma once
#include "runtime/metrics/points.h"

namespace metrics {

/// The assignment of rows to columns of `gain` [rows, columns] with the largest sum; each column is used at
/// most once. Gives the column of each row, or -1 if there are fewer columns than rows and the row gets none.
/// Computed by shortest augmenting paths (Kuhn 1955; Jonker and Volgenant 1987) in O(n^3).
std::vector<int> best_assignment(const std::vector<double>& gain, int rows, int columns);

struct Correlation {
  Estimate mean;                // mean of |correlation| over the factors
  std::vector<int> latents;     // per factor the matched latent; -1 if it has none
  std::vector<double> matched;  // per factor the signed correlation with its latent; 0 if it has none
};

/// The mean correlation coefficient (MCC; Hyvarinen and Morioka 2016). Factors are matched with latents so
/// that the sum of the absolute values of Pearson's correlations is largest. A factor counts 0 if it has no
/// latent, or if it or its latent does not vary. Both sets must have the same number of rows, at least
/// `least_rows_for_distances` (frechet.h). The standard error comes from a jackknife over groups of rows.
Correlation correlate(const Points& factors, const Points& latents);

}  // namespace metrics
