// Whether inferred codes match the true factors that a source knows.
#pragma once
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "runtime/core/evaluation/request.h"
#include "runtime/core/execution/session.h"

namespace core {

/// Metric `mcc`, for each evaluated source that knows the factors: the mean correlation of each factor with
/// the code that is matched to it (metrics/matching.h). Factors: `request.factors`; else the one known
/// variable that no player mentions; else the one that encoders give. Categories do not count. Codes: the
/// means of the targets of `request.query`; else of what encoders draw given the rest of the row.
/// Failure(usage) if the factors must be named. Failure(bad_configuration) if no source knows them or nothing
/// gives codes.
nlohmann::json measure_factors(Session& session, const EvaluateRequest& request,
                               const std::set<std::string>&);

}  // namespace core
