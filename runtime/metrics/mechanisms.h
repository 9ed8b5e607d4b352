// The contrast of independent mechanism analysis (Gresele et al. 2021): how far the columns of a map's
// Jacobian are from orthogonal. It is zero if they are orthogonal.
#pragma once
#include <vector>

namespace metrics {

/// c = 1/2 (sum over k of log (J'J)_kk - log det J'J) of a Jacobian J [outputs, latents], given row by row.
/// In nats; at least 0, and infinite if the columns are linearly dependent. Source: Reizinger et al. 2022,
/// equation 4.
double column_contrast(const std::vector<double>& jacobian, int outputs, int latents);

}  // namespace metrics
