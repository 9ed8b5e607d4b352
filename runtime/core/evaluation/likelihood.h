// The log-likelihood of data by importance sampling with the encoders as proposal:
// log p(known) = log mean_k exp(sum of log p - sum of log q) over K draws of what the source does not know,
// and its lower bound, the mean of what stands in the exponent.
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
/// "samples", "exact"}], nats per row. Where a source knows every variable of the model, the density itself
/// is the result: exact, of 0 samples. `rows`: of each source, 0 for all. Failure(bad_configuration) where
/// the model states no density or no direct draws.
nlohmann::json measure_bounds(Session& session, uint64_t seed, int64_t samples, int64_t rows,
                              const std::set<std::string>& asked);

/// `loglik` alone.
nlohmann::json measure_log_likelihoods(Session& session, uint64_t seed, int64_t samples, int64_t rows);

}  // namespace core
