// How often categories are inferred rightly: those that an evaluated source knows, inferred from the rest of
// what it knows or as a query says, by `infer`'s plan: directly, or by a chain with the known variables
// clamped. The class of the greatest mean is compared with the known one, at every position of a shaped one.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "runtime/core/conditioner.h"

namespace core {

/// [{"source", "metric": "accuracy", "of", "mean", "standard_error", "rows", "confusion"}], a row of the
/// confusion matrix per true class; for shaped variables also the metric "mean_iou"; "sweeps" where there was
/// a chain, "exact" where the means hold no draws. `drawn`: variables that are not summed over. `rows`: of
/// each source, 0 for all. `query`: "c, d | x", or empty for every category given the rest.
/// Failure(bad_configuration) where no source knows such variables, Failure(usage) for a query that cannot be
/// read.
nlohmann::json measure_accuracies(Session& session, uint64_t seed, const Effort& effort, int64_t rows,
                                  const std::string& query, const std::set<int>& drawn = {});

}  // namespace core
