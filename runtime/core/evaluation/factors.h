// Whether inferred codes are the true factors that a source knows.
#pragma once
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "runtime/core/evaluation/request.h"
#include "runtime/core/session.h"

namespace core {

/// Metric `mcc`, of each evaluated source that knows the factors: the mean correlation of each factor with
/// the code matched to it (metrics/matching.h). Factors: `request.factors`, else the one variable that no
/// player mentions, else the one that encoders give; no category. Codes: the targets of `request.query`, else
/// what encoders draw given the rest of the row; the means of what is inferred. Failure(usage) where the
/// factors are to be named, Failure(bad_configuration) where nobody knows them or nothing gives codes.
nlohmann::json measure_factors(Session& session, const EvaluateRequest& request,
                               const std::set<std::string>&);

}  // namespace core
