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

/// Of each column the variance over the rows.
std::vector<double> variances(const Points& points);

}  // namespace metrics
