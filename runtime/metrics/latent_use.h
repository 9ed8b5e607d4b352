// How much each latent says of the data, from what the encoder says of it row by row.
#pragma once
#include "runtime/metrics/points.h"

namespace metrics {

/// The mutual information of data and a discrete latent, h(mean p) - mean h(p), in nats: the mean over the
/// rows of KL(p_i | mean p), whose standard error is that of a mean (the derivative in the mean p is zero).
/// `classes`: how many columns a latent takes; each row's probabilities of them. One column alone is a
/// probability of 1 against 0.
struct Information {
  std::vector<Estimate> latents;
  Estimate total;  // their sum
};
Information mutual_information(const Points& probabilities, int64_t latents);

/// The mutual information of data and latents of any kind from n draws z_k ~ q(z | x_k): the mean over k of
/// log q(z_k | x_k) - log mean_j q(z_k | x_j). Never above log n, and low where the truth comes near that
/// (Chen et al. 2018, appendix C.1, on all pairs). `log_densities`: [k, j] = log q(z_k | x_j).
Estimate information_of_draws(const std::vector<double>& log_densities, int64_t n);

/// Of each column the variance over the rows.
std::vector<Estimate> variances(const Points& points);

/// How many measures are above `threshold`; the standard error is that of a count of which each is there with
/// the probability that its error leaves.
Estimate count_above(const std::vector<Estimate>& measures, double threshold);

}  // namespace metrics
