#include "runtime/core/learning/libi.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace core {

Libi::Libi(const nlohmann::json& own, int64_t steps) {
  epsilon_ = own.value("epsilon", epsilon_);
  dual_rate_ = own.value("dual_rate", dual_rate_);
  const auto part = [&](const char* key) { return own.value(key, 0.0); };
  double fit = part("fit_steps"), constrain = part("constrain_steps"), refit = part("refit_steps");
  if (fit + constrain + refit <= 0) fit = constrain = refit = 1;
  const double all = fit + constrain + refit;
  fit_end_ = std::llround(static_cast<double>(steps) * fit / all);
  constrain_end_ = std::llround(static_cast<double>(steps) * (fit + constrain) / all);
}

Libi::Phase Libi::phase_at(int64_t step) const {
  if (step < fit_end_) return fit;
  return step < constrain_end_ ? constrain : refit;
}

std::string Libi::phase_name(int64_t step) const {
  static const char* names[] = {"fit", "constrain", "refit"};
  return names[phase_at(step)];
}

void Libi::observe(double log_likelihood) {
  const double violation = *best_ - epsilon_ - log_likelihood;
  multiplier_ = std::max(0.0, multiplier_ + dual_rate_ * violation);
  violations_ += violation;
  ++observed_;
}

nlohmann::json Libi::record(int64_t last_step) {
  nlohmann::json line = {{"phase", phase_name(last_step)}};
  if (best_) line["best"] = *best_;
  if (observed_ > 0) {
    line["multiplier"] = multiplier_;
    line["violation"] = violations_ / static_cast<double>(observed_);
  }
  violations_ = 0;
  observed_ = 0;
  return line;
}

nlohmann::json Libi::state() const {
  nlohmann::json state = {{"multiplier", multiplier_}, {"violations", violations_}, {"observed", observed_}};
  if (best_) state["best"] = *best_;
  return state;
}

void Libi::restore(const schema::JsonFields& state, int64_t steps) {
  constexpr double most = std::numeric_limits<double>::max();
  multiplier_ = state.real("multiplier", 0, most);
  violations_ = state.real("violations", -most, most);
  observed_ = state.whole("observed", {0, steps});
  if (state.has("best")) best_ = state.real("best", -most, most);
}

}  // namespace core
