#include "runtime/metrics/points.h"

#include <cmath>

namespace metrics {

static double mean_and_squares(const std::vector<double>& numbers, double& squares) {
  double sum = 0;
  for (const double number : numbers) sum += number;
  const double mean = sum / static_cast<double>(numbers.size());
  squares = 0;
  for (const double number : numbers) squares += (number - mean) * (number - mean);
  return mean;
}

Estimate mean_of(const std::vector<double>& numbers) {
  const auto n = static_cast<double>(numbers.size());
  double squares = 0;
  const double mean = mean_and_squares(numbers, squares);
  return {mean, n > 1 ? std::sqrt(squares / (n * (n - 1))) : std::nan("")};
}

double jackknife_error(const std::vector<double>& without) {
  const auto groups = static_cast<double>(without.size());
  double squares = 0;
  mean_and_squares(without, squares);
  return std::sqrt(squares * (groups - 1) / groups);
}

}  // namespace metrics
