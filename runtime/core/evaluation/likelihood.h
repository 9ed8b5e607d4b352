// The log-likelihood of data by importance sampling, with the encoders as proposal: log p(known) = log mean_k
// exp(sum of log p - sum of log q) over K draws of what the source does not know. The mean of the exponent is
// a lower bound. Discrete variables that the encoders draw from known ones are summed over instead of drawn.
// The estimate is too low by about (variance of the weights) / 2 K.
#pragma once
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "runtime/core/execution/session.h"

namespace core {

/// Metrics `loglik`, `elbo` (the bound), `kl` (its divergence of what the encoders draw from the prior) and
/// `gap` (loglik - elbo). Those that are `asked` for are measured on the same draws. The sources are those of
/// evaluated_sources(). Result: [{"source", "metric", "of", "mean", "standard_error", "rows", "samples",
/// "exact", "summed" (variables summed over)}], nats per row. If nothing is left to draw, the result is the
/// exact density, with 0 samples. `rows`: of each source, 0 for all. `drawn`: variables that are drawn even
/// if they could be summed over. Failure(bad_configuration) if the model has no density, or no direct draws,
/// for a variable. The rows are shared with the ranks of `together`, if it is not null; then all of them must
/// call this, and all get the same result, in the same bits as one rank alone.
nlohmann::json measure_bounds(Session& session, uint64_t seed, int64_t samples, int64_t rows,
                              const std::set<std::string>& asked, const std::set<int>& drawn = {},
                              Ranks* together = nullptr);

/// Only `loglik`.
nlohmann::json measure_log_likelihoods(Session& session, uint64_t seed, int64_t samples, int64_t rows);

}  // namespace core
