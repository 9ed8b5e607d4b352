// Likelihood before inference: which of its three phases a step belongs to, and the multiplier of the
// constraint in the second phase. Reconstructed from Yacoby, Pan, Doshi-Velez (2019): fit the likelihood;
// then close the posterior gap subject to E log p(x) >= best - epsilon; then freeze the decoder and refit the
// encoder.
#pragma once
#include <nlohmann/json.hpp>
#include <optional>

#include "runtime/schema/json_fields.h"

namespace core {

/// What libi knows between two steps.
struct LibiState {
  double multiplier = 1;  // of the constraint; at 1 the objective is the evidence lower bound
  /// The best likelihood, in nats per row, which the parameters reach at the end of the first phase.
  std::optional<double> best;
  /// The sum and number of the violations since the last line of metrics.
  double violations = 0;
  int64_t observed = 0;
};

nlohmann::json to_json(const LibiState& state);
/// Reads the state of a run of `steps` steps. Failure(bad_data).
LibiState libi_state_of(const schema::JsonFields& fields, int64_t steps);

class Libi {
 public:
  enum Phase { fit, constrain, refit };

  /// Divides `steps` among the phases in proportion to the step counts of the learn block, or into thirds if
  /// it has none.
  Libi(const nlohmann::json& own, int64_t steps);

  Phase phase_at(int64_t step) const;
  std::string phase_name(int64_t step) const;
  /// How many batches estimate the best likelihood, before the second phase begins.
  static constexpr int batches_of_best = 64;

  /// Called after a step of the second phase. multiplier <- max(0, multiplier + dual_rate * violation), where
  /// the violation is best - epsilon - log_likelihood.
  void observe(LibiState& state, double log_likelihood) const;

  /// "phase", and if known "best", "multiplier" and "violation" (nats; the mean since the last call).
  nlohmann::json record(LibiState& state, int64_t last_step) const;

 private:
  int64_t fit_end_ = 0, constrain_end_ = 0;
  double epsilon_ = 0.1, dual_rate_ = 0.1;
};

}  // namespace core
