// The metrics that can be evaluated while a run trains: means over held-out rows. The compiler reads their
// names in `evaluate` and `stop`, the runtime in flags of the same names.
#pragma once
#include <string>
#include <vector>

inline const std::vector<std::string> training_metrics = {"loglik", "elbo", "kl", "gap", "accuracy"};

/// The metrics by which runs are compared by default. Each is measured if the model allows it.
inline const std::vector<std::string> usual_metrics = {"loglik", "elbo", "accuracy"};

/// Whether a smaller value of the metric is better.
inline bool smaller_is_better(const std::string& metric) { return metric == "kl" || metric == "gap"; }
