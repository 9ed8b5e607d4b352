// How much the latents that encoders draw tell about the data.
#pragma once
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "runtime/core/evaluation/request.h"
#include "runtime/core/execution/session.h"

namespace core {

/// Metrics `mi` and `active_units`, if they are `asked` for, for the latents of each evaluated source. A
/// binary or categorical unit is active if its mutual information with the data is above 0.01. Another unit
/// is active if the variance of its mean over the rows is above 0.01. Failure(bad_configuration) if no source
/// has rows of what a decoder models, or if nothing draws its latents directly.
nlohmann::json measure_latents(Session& session, const EvaluateRequest& request,
                               const std::set<std::string>& asked);

}  // namespace core
