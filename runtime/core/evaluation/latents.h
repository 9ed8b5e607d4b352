// How much the latents that encoders draw say of the data.
#pragma once
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "runtime/core/evaluation/request.h"
#include "runtime/core/session.h"

namespace core {

/// Metrics `mi` and `active_units`, those that are `asked` for, of the latents of each source that is
/// evaluated. A unit is active where its mutual information with the data (of binary and category variables),
/// or the variance of its mean over the rows (of others), is above 0.01. Failure(bad_configuration) where no
/// source has rows of what a decoder models, or nothing draws its latents directly.
nlohmann::json measure_latents(Session& session, const EvaluateRequest& request,
                               const std::set<std::string>& asked);

}  // namespace core
