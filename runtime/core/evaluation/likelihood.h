// The log-likelihood of data by importance sampling with the encoders as proposal:
// log p(known) = log mean_k exp(sum of log p - sum of log q) over K draws of what the source does not know,
// and its lower bound, the mean of what stands in the exponent. Discrete variables that the encoders give
// from what is known are summed over in place of drawn.
// The estimate of the likelihood is low by about the variance of the weights over 2 K.
#pragma once
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "runtime/core/session.h"

namespace core {

/// Metrics `loglik`, `elbo` (the bound), `kl` (of it: the divergence of what the encoders draw from its
/// prior) and `gap` (loglik - elbo), those that are `asked` for, on the same draws. Over the sources of
/// weight 0, if any has data, else over all: [{"source", "metric", "of", "mean", "standard_error", "rows",
/// "samples", "exact", "summed" (variables summed over)}], nats per row. Where nothing is left to draw, the
/// density itself is the result: exact, of 0 samples. `rows`: of each source, 0 for all. `drawn`: variables
/// that are drawn even if they could be summed over. Failure(bad_configuration) where the model states no
/// density or no direct draws.
nlohmann::json measure_bounds(Session& session, uint64_t seed, int64_t samples, int64_t rows,
                              const std::set<std::string>& asked, const std::set<int>& drawn = {});

/// `loglik` alone.
nlohmann::json measure_log_likelihoods(Session& session, uint64_t seed, int64_t samples, int64_t rows);

}  // namespace core
