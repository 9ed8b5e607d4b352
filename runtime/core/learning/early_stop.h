// When a run ends before its last step: after evaluations that are no better than the best one.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "runtime/core/learning/settings.h"

namespace core {

class EarlyStop {
 public:
  explicit EarlyStop(const StopSettings& settings) : settings_(settings) {}

  /// Results as `evaluate` gives them, of step `step`: whether they are the best so far. Of several sources
  /// or variables the mean counts. Failure(bad_configuration) where none is of the metric.
  bool observe(const nlohmann::json& results, int64_t step);
  /// As many evaluations in a row as the patience were no better.
  bool is_over() const { return without_ >= settings_.patience; }
  /// For the user.
  std::string text() const;

 private:
  StopSettings settings_;
  double best_ = 0;
  int64_t best_step_ = -1, without_ = 0;
};

}  // namespace core
