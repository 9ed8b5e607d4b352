// Rows of features, and numbers with their standard errors: the input and the output of all measures of this
// module.
#pragma once
#include <cstdint>
#include <vector>

namespace metrics {

/// Rows of `width` numbers each, one row after the other.
struct Points {
  int64_t width = 0;
  std::vector<float> values;

  int64_t rows() const { return width == 0 ? 0 : static_cast<int64_t>(values.size()) / width; }
  const float* row(int64_t i) const { return values.data() + i * width; }
};

struct Estimate {
  double value = 0;
  double standard_error = 0;
};

/// The mean of independent numbers. Its standard error is NaN if there is only one number.
Estimate mean_of(const std::vector<double>& numbers);

/// The standard error of a statistic by the delete-a-group jackknife. `without` has the statistic computed
/// without each group of rows in turn. Source: Shao and Tu, The Jackknife and Bootstrap, 1995, section 2.3.
double jackknife_error(const std::vector<double>& without);

}  // namespace metrics
