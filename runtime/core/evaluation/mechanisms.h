// Whether the codes act on a decoder's mean by independent mechanisms, and whether the encoder inverts the
// mean. Both are said to hold for variational autoencoders with little noise (Reizinger et al. 2022).
#pragma once
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "runtime/core/evaluation/request.h"
#include "runtime/core/execution/session.h"

namespace core {

/// Metrics `ima` and `self_consistency`, if they are `asked` for, for each evaluated source. They concern the
/// first variable that the source knows and that a decoder gives from one parent with values on a line. The
/// parent's values are known, or drawn by the encoders. At most 5000 rows, unless `request.rows` says
/// otherwise. Failure(bad_configuration) if the model has no such conditional; for `self_consistency` also if
/// no encoder gives the code from this variable alone, or if the code has no prior density.
nlohmann::json measure_mechanisms(Session& session, const EvaluateRequest& request,
                                  const std::set<std::string>& asked);

}  // namespace core
