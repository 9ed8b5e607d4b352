// When a run ends before its last step: after some evaluations in a row that are no better than the best one.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "runtime/core/learning/settings/settings.h"

namespace core {

class EarlyStop {
 public:
  explicit EarlyStop(const StopSettings& settings) : settings_(settings) {}

  /// `results`: what `evaluate` gives at step `step`. Returns whether they are the best so far; over several
  /// sources or variables, the mean counts. Failure(bad_configuration) if no result has the metric.
  bool observe(const nlohmann::json& results, int64_t step);
  /// Whether as many evaluations in a row as the patience were no better.
  bool is_over() const { return without_ >= settings_.patience; }
  /// The best result, as a text for the user.
  std::string text() const;

 private:
  StopSettings settings_;
  double best_ = 0;
  int64_t best_step_ = -1, without_ = 0;
};

}  // namespace core
