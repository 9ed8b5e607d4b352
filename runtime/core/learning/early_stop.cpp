#include "runtime/core/learning/early_stop.h"

#include <fmt/format.h>

#include <cmath>

#include "runtime/schema/training_metrics.h"
#include "runtime/shared/failure.h"

namespace core {

bool EarlyStop::observe(const nlohmann::json& results, int64_t step) {
  double sum = 0;
  int64_t count = 0;
  for (const nlohmann::json& result : results) {
    if (result.at("metric") != settings_.metric || !result.at("mean").is_number()) continue;
    sum += result.at("mean").get<double>();
    ++count;
  }
  if (count == 0)
    throw Failure(Exit::bad_configuration,
                  fmt::format("stop = early({}, {}): no evaluation gives {}", settings_.metric,
                              settings_.patience, settings_.metric));
  const double mean = sum / static_cast<double>(count);
  const bool better = smaller_is_better(settings_.metric) ? mean < best_ : mean > best_;
  if (std::isfinite(mean) && (best_step_ < 0 || better)) {
    best_ = mean;
    best_step_ = step;
    without_ = 0;
    return true;
  }
  ++without_;
  return false;
}

std::string EarlyStop::text() const {
  if (best_step_ < 0) return fmt::format("{} was never a number", settings_.metric);
  return fmt::format("{} was best at step {}: {:.6g}", settings_.metric, best_step_, best_);
}

}  // namespace core
