// Whether two distributions that should be one are: samples and data, the codes of the data and their prior;
// and whether the encoder knows its way among samples as it does among data.
#pragma once
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "runtime/core/evaluation/request.h"
#include "runtime/core/session.h"

namespace core {

/// Metric `mmd`: the squared maximum mean discrepancy (metrics/kernel_distance.h, Gaussian kernels) of as
/// many samples as rows, for each evaluated source; `request.n` of each side, else 5000 at most.
/// Failure(bad_configuration) where the model generates nothing that a source with rows knows.
nlohmann::json measure_discrepancies(Session& session, const EvaluateRequest& request,
                                     const std::set<std::string>& asked);

/// Of metric `consistency`: log q of the encoder's codes where codes and data are drawn from the model,
/// beside that of its own codes of data. Empty where encoders draw nothing directly or the model generates
/// nothing.
nlohmann::json measure_encoder_fit(Session& session, const EvaluateRequest& request);

}  // namespace core
