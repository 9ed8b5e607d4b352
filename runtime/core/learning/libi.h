// Likelihood before inference: which of its three phases a step belongs to, and the multiplier of the
// constraint in the second phase. Reconstructed from Yacoby, Pan, Doshi-Velez (2019): fit the likelihood;
// then close the posterior gap subject to E log p(x) >= best - epsilon; then freeze the decoder and refit the
// encoder.
#pragma once
#include <nlohmann/json.hpp>
#include <optional>

#include "runtime/schema/json_fields.h"

namespace core {

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
  bool has_best() const { return best_.has_value(); }
  /// The best likelihood, in nats per row, reached by the present parameters.
  void set_best(double log_likelihood) { best_ = log_likelihood; }

  /// The multiplier of the constraint. It begins at 1, where the objective is the evidence lower bound.
  double multiplier() const { return multiplier_; }
  /// Called after a step of the second phase. multiplier <- max(0, multiplier + dual_rate * violation), where
  /// the violation is best - epsilon - log_likelihood.
  void observe(double log_likelihood);

  /// "phase", and if known "best", "multiplier" and "violation" (nats; the mean since the last call).
  nlohmann::json record(int64_t last_step);
  nlohmann::json state() const;
  /// Restores the state of a run of `steps` steps. Failure(bad_data).
  void restore(const schema::JsonFields& state, int64_t steps);

 private:
  int64_t fit_end_ = 0, constrain_end_ = 0;
  double epsilon_ = 0.1, dual_rate_ = 0.1;
  double multiplier_ = 1;
  std::optional<double> best_;
  double violations_ = 0;
  int64_t observed_ = 0;
};

}  // namespace core
