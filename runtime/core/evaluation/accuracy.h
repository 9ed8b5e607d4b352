// How often categories are inferred correctly. They are categories that an evaluated source knows, inferred
// from the rest of what it knows, or as a query says. The plan is the plan of `infer`: direct draws, or a
// chain that does not change the known variables. The class of the greatest mean is compared with the known
// class, at every position of the variable's shape.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "runtime/core/inference/conditioner.h"

namespace core {

class Ranks;

/// [{"source", "metric": "accuracy", "of", "mean", "standard_error", "rows", "confusion"}]; the confusion
/// matrix has a row per true class. For variables with a shape, also the metric "mean_iou"; "sweeps" if there
/// was a chain, "exact" if the means contain no draws. `drawn`: variables that are not summed over. `rows`:
/// of each source, 0 for all. `together`: ranks that share the rows. `query`: "c, d | x", or empty for every
/// category given the rest. Failure(bad_configuration) if no source knows such variables, Failure(usage) if
/// the query cannot be read.
nlohmann::json measure_accuracies(Session& session, uint64_t seed, const Effort& effort, int64_t rows,
                                  const std::string& query, const std::set<int>& drawn = {},
                                  Ranks* together = nullptr);

}  // namespace core
