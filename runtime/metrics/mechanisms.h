// How a map's columns stand to one another: the contrast of independent mechanism analysis (Gresele et al.
// 2021), which is zero where they are orthogonal.
#pragma once
#include <vector>

namespace metrics {

/// c = 1/2 (sum over k of log (J'J)_kk - log det J'J) of a Jacobian [outputs, latents], row by row: nats, at
/// least 0, infinite where columns are linearly dependent. Source: Reizinger et al. 2022, equation 4.
double column_contrast(const std::vector<double>& jacobian, int outputs, int latents);

}  // namespace metrics
