// How far what the model generates is from data, and from itself: Frechet and kernel distances on features,
// of samples from random codes and from the limiting distribution.
#pragma once
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "runtime/core/evaluation/request.h"
#include "runtime/core/session.h"

namespace core {

/// Metrics `fd` and `consistency`, those that are `asked` for. Data: of the sources that know the variable
/// the one with most rows that is learned from, and the one with most rows of weight 0, between which the
/// floor is measured (between two halves of the first where there is no other). Failure(usage) or
/// Failure(bad_configuration) where the variable, the features or the chain are not to be had.
nlohmann::json measure_sample_distances(Session& session, const EvaluateRequest& request,
                                        const std::set<std::string>& asked);

}  // namespace core
