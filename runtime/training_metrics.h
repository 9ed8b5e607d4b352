// The metrics that a run may be evaluated by while it trains: means over held-out rows. The compiler reads
// them in `evaluate` and `stop`, the runtime in the flags of these names.
#pragma once
#include <string>
#include <vector>

inline const std::vector<std::string> training_metrics = {"loglik", "elbo", "kl", "gap", "accuracy"};

/// What comparisons measure of runs unless told: each of them where the model admits it.
inline const std::vector<std::string> usual_metrics = {"loglik", "elbo", "accuracy"};

/// Whether a smaller value is the better one.
inline bool smaller_is_better(const std::string& metric) { return metric == "kl" || metric == "gap"; }
