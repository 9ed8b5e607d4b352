// Measures how much information about the data is in each latent. In: the encoder's distributions of the
// latents, row by row.
#pragma once
#include "runtime/metrics/points.h"

namespace metrics {

/// The mutual information of the data and a discrete latent, h(mean p) - mean h(p), in nats. It is the mean
/// over the rows of KL(p_i | mean p). Its standard error is that of a mean, because the derivative with
/// respect to mean p is zero. `probabilities`: for each row, the probability of each class of each latent. A
/// latent with a single column is binary, and the column is the probability of 1.
struct Information {
  std::vector<Estimate> latents;
  Estimate total;  // sum of the latents' information
};
Information mutual_information(const Points& probabilities, int64_t latents);

/// The mutual information of the data and latents of any kind, from n draws z_k ~ q(z | x_k): the mean over k
/// of log q(z_k | x_k) - log mean_j q(z_k | x_j). It is never above log n, and too low if the true value is
/// near log n (Chen et al. 2018, appendix C.1, on all pairs). `log_densities`: [k, j] = log q(z_k | x_j).
Estimate information_of_draws(const std::vector<double>& log_densities, int64_t n);

/// The variance of each column over the rows.
std::vector<Estimate> variances(const Points& points);

/// How many measures are above `threshold`. Each measure is above it with a probability that follows from its
/// standard error; the standard error of the count is computed from these probabilities.
Estimate count_above(const std::vector<Estimate>& measures, double threshold);

}  // namespace metrics
