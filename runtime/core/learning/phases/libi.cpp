#include "runtime/core/learning/phases/libi.h"

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

void Libi::observe(LibiState& state, double log_likelihood) const {
  const double violation = state.best.value() - epsilon_ - log_likelihood;
  state.multiplier = std::max(0.0, state.multiplier + dual_rate_ * violation);
  state.violations += violation;
  ++state.observed;
}

nlohmann::json Libi::record(LibiState& state, int64_t last_step) const {
  nlohmann::json line = {{"phase", phase_name(last_step)}};
  if (state.best) line["best"] = *state.best;
  if (state.observed > 0) {
    line["multiplier"] = state.multiplier;
    line["violation"] = state.violations / static_cast<double>(state.observed);
  }
  state.violations = 0;
  state.observed = 0;
  return line;
}

nlohmann::json to_json(const LibiState& state) {
  nlohmann::json text = {
      {"multiplier", state.multiplier}, {"violations", state.violations}, {"observed", state.observed}};
  if (state.best) text["best"] = *state.best;
  return text;
}

LibiState libi_state_of(const schema::JsonFields& fields, int64_t steps) {
  constexpr double most = std::numeric_limits<double>::max();
  LibiState state;
  state.multiplier = fields.real("multiplier", 0, most);
  state.violations = fields.real("violations", -most, most);
  state.observed = fields.whole("observed", {0, steps});
  if (fields.has("best")) state.best = fields.real("best", -most, most);
  return state;
}

}  // namespace core
