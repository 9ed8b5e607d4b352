// Whether two distributions are equal that should be: samples and data, or codes of the data and their prior.
// Also, whether the encoder fits samples as well as it fits data.
#pragma once
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "runtime/core/evaluation/request.h"
#include "runtime/core/execution/session.h"

namespace core {

/// Metric `mmd`: the squared maximum mean discrepancy (metrics/kernel_distance.h, Gaussian kernels) between
/// rows of data and equally many samples, for each evaluated source. `request.n`: how many on each side;
/// without it, at most 5000. Failure(bad_configuration) if the model generates nothing that a source with
/// rows knows.
nlohmann::json measure_discrepancies(Session& session, const EvaluateRequest& request,
                                     const std::set<std::string>& asked);

/// Part of metric `consistency`: log q of the encoder for codes and data that are both drawn from the model,
/// beside log q for the encoder's own codes of data. Empty if encoders draw nothing directly, or if the model
/// generates nothing.
nlohmann::json measure_encoder_fit(Session& session, const EvaluateRequest& request);

}  // namespace core
