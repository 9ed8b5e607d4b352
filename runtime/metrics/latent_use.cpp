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
  // Class axis first: class c of latent i stands in column c * latents + i.
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

std::vector<double> variances(const Points& points) {
  const std::vector<double> centre = means(points);
  std::vector<double> squares(centre.size());
  for (int64_t row = 0; row < points.rows(); ++row)
    for (size_t k = 0; k < squares.size(); ++k) {
      const double from = points.row(row)[k] - centre[k];
      squares[k] += from * from;
    }
  for (double& square : squares) square /= std::max(1.0, static_cast<double>(points.rows() - 1));
  return squares;
}

}  // namespace metrics
