// How often categories are inferred rightly: each category variable that an evaluated source knows and that
// the players give from the rest of what it knows. The class of the greatest mean is compared with the known
// one, at every position of a shaped variable.
#pragma once
#include <nlohmann/json.hpp>

#include "runtime/core/session.h"

namespace core {

/// [{"source", "metric": "accuracy", "of", "mean", "standard_error", "rows", "confusion"}], a row of the
/// confusion matrix per true class; for shaped variables also the metric "mean_iou". `samples`: draws that
/// means are taken over where other variables must be drawn first. `rows`: of each source, 0 for all.
/// Failure(bad_configuration) where no source has such a variable.
nlohmann::json measure_accuracies(Session& session, uint64_t seed, int64_t samples, int64_t rows);

}  // namespace core
