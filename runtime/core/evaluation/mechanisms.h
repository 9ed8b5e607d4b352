// Whether a decoder's mean acts on its codes by independent mechanisms, and the encoder inverts it: what
// variational autoencoders of little noise are said to come to (Reizinger et al. 2022).
#pragma once
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "runtime/core/evaluation/request.h"
#include "runtime/core/session.h"

namespace core {

/// Metrics `ima` and `self_consistency`, those that are `asked` for, of each evaluated source: of the first
/// variable that it knows and that a decoder gives of one parent with values on a line, at that parent's
/// values (known, else drawn by the encoders). 5000 rows at most unless `request.rows` says so.
/// Failure(bad_configuration) where the model has no such conditional, and for `self_consistency` where no
/// encoder gives the code of the variable alone, or nothing states the code's prior density.
nlohmann::json measure_mechanisms(Session& session, const EvaluateRequest& request,
                                  const std::set<std::string>& asked);

}  // namespace core
