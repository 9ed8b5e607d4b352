// The directions in which rows differ most, fitted once and applied to other rows.
#pragma once
#include "runtime/metrics/points.h"

namespace metrics {

class PrincipalComponents {
 public:
  /// Keeps at most `components` directions, or fewer if rows have fewer dimensions. Computed by subspace
  /// iteration from a fixed start (Halko, Martinsson, Tropp 2011, algorithm 4.4).
  PrincipalComponents(const Points& fitted_on, int64_t components);

  /// Appends the scores of `count` rows. The mean of the fitted rows is subtracted, and all scores are
  /// divided by the same number, which makes the mean square of the fitted rows' scores 1.
  void append_scores(const float* rows, int64_t count, Points& to) const;
  /// The number that scores are divided by.
  double scale() const { return scale_; }
  int64_t components() const {
    return static_cast<int64_t>(mean_.empty() ? 0 : directions_.size() / mean_.size());
  }

 private:
  std::vector<float> mean_;
  std::vector<float> directions_;  // [width, components], divided by the scale
  double scale_ = 1;
};

}  // namespace metrics
