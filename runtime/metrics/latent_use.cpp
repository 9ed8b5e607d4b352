#include "runtime/metrics/latent_use.h"

#include <algorithm>
#include <cmath>

namespace metrics {
namespace {

/// p log(p / q), 0 for p = 0.
double divergence(double p, double q) { return p > 0 ? p * std::log(p / q) : 0; }

std::vector<double> means(const Points& points) {
  std::vector<double> sums(static_cast<size_t>(points.width));
  for (int64_t row = 0; row < points.rows(); ++row)
    for (int64_t k = 0; k < points.width; ++k) sums[static_cast<size_t>(k)] += points.row(row)[k];
  for (double& sum : sums) sum /= static_cast<double>(points.rows());
  return sums;
}

}  // namespace

Information mutual_information(const Points& probabilities, int64_t latents) {
  // The first axis is the class: class c of latent i is column c * latents + i.
  const int64_t classes = probabilities.width / latents;
  const std::vector<double> marginal = means(probabilities);
  std::vector<std::vector<double>> rows_of(static_cast<size_t>(latents));
  std::vector<double> totals;
  for (int64_t row = 0; row < probabilities.rows(); ++row) {
    totals.push_back(0);
    for (int64_t i = 0; i < latents; ++i) {
      double kl = 0;
      for (int64_t c = 0; c < classes; ++c) {
        const double p = probabilities.row(row)[c * latents + i];
        const double q = marginal[static_cast<size_t>(c * latents + i)];
        kl += divergence(p, q);
        if (classes == 1) kl += divergence(1 - p, 1 - q);
      }
      rows_of[static_cast<size_t>(i)].push_back(kl);
      totals.back() += kl;
    }
  }
  Information information;
  for (const std::vector<double>& rows : rows_of) information.latents.push_back(mean_of(rows));
  information.total = mean_of(totals);
  return information;
}

Estimate information_of_draws(const std::vector<double>& log_densities, int64_t n) {
  std::vector<double> influences;
  const auto density = [&](int64_t k, int64_t j) { return log_densities[static_cast<size_t>(k * n + j)]; };
  std::vector<double> logs, shares(static_cast<size_t>(n));
  for (int64_t k = 0; k < n; ++k) {
    double largest = -INFINITY, sum = 0;
    for (int64_t j = 0; j < n; ++j) largest = std::max(largest, density(k, j));
    for (int64_t j = 0; j < n; ++j) sum += std::exp(density(k, j) - largest);
    logs.push_back(density(k, k) - largest - std::log(sum / static_cast<double>(n)));
    for (int64_t j = 0; j < n; ++j) shares[static_cast<size_t>(j)] += std::exp(density(k, j) - largest) / sum;
  }
  // Row j changes the estimate through its own term, and through the means over j in the terms of all rows.
  for (int64_t j = 0; j < n; ++j)
    influences.push_back(logs[static_cast<size_t>(j)] + 1 - shares[static_cast<size_t>(j)]);
  return mean_of(influences);
}

std::vector<Estimate> variances(const Points& points) {
  const std::vector<double> centre = means(points);
  std::vector<Estimate> found;
  for (int64_t k = 0; k < points.width; ++k) {
    std::vector<double> squares;
    for (int64_t row = 0; row < points.rows(); ++row) {
      const double from = points.row(row)[k] - centre[static_cast<size_t>(k)];
      squares.push_back(from * from);
    }
    found.push_back(mean_of(squares));
  }
  return found;
}

Estimate count_above(const std::vector<Estimate>& measures, double threshold) {
  Estimate count;
  double variance = 0;
  for (const Estimate& measure : measures) {
    count.value += measure.value > threshold;
    if (!(measure.standard_error > 0)) continue;  // 0, or unknown
    const double there =
        .5 * std::erfc((threshold - measure.value) / (std::sqrt(2.) * measure.standard_error));
    variance += there * (1 - there);
  }
  count.standard_error = std::sqrt(variance);
  return count;
}

}  // namespace metrics
