// The directions in which rows differ most, fitted once and applied to other rows.
#pragma once
#include "runtime/metrics/points.h"

namespace metrics {

class PrincipalComponents {
 public:
  /// At most `components`, fewer where rows have fewer dimensions; by subspace iteration from a fixed start
  /// (Halko, Martinsson, Tropp 2011, algorithm 4.4).
  PrincipalComponents(const Points& fitted_on, int64_t components);

  /// Scores: centred on the fitted rows and divided by one number, so that there their mean square is 1.
  void append_scores(const float* rows, int64_t count, Points& to) const;
  /// What scores are divided by.
  double scale() const { return scale_; }
  int64_t components() const {
    return static_cast<int64_t>(mean_.empty() ? 0 : directions_.size() / mean_.size());
  }

 private:
  std::vector<float> mean_;
  std::vector<float> directions_;  // [width, components], scaled
  double scale_ = 1;
};

}  // namespace metrics
