// How far generated samples are from data and from each other: Frechet and kernel distances on features, for
// samples from random codes and from the limiting distribution.
#pragma once
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "runtime/core/evaluation/request.h"
#include "runtime/core/execution/session.h"

namespace core {

/// Metrics `fd` and `consistency`, if they are `asked` for. Among the sources that know the variable, two are
/// used: the largest that is learned from, and the largest of weight 0. The floor is the distance between
/// these two. If there is only one, the floor is the distance between its halves. Failure(usage) or
/// Failure(bad_configuration) if the variable, the features or the chain do not exist.
nlohmann::json measure_sample_distances(Session& session, const EvaluateRequest& request,
                                        const std::set<std::string>& asked);

}  // namespace core
