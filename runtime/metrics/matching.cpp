#include "runtime/metrics/matching.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/metrics/frechet.h"
#include "runtime/metrics/moments.h"

namespace metrics {
namespace {

/// The cheapest assignment of each of n rows to one of m >= n columns. Each augmenting path is found by
/// Dijkstra's algorithm; the potentials keep the reduced costs from becoming negative.
std::vector<int> cheapest(const Eigen::MatrixXd& cost) {
  const auto n = static_cast<int>(cost.rows()), m = static_cast<int>(cost.cols());
  Eigen::VectorXd of_row = Eigen::VectorXd::Zero(n), of_column = Eigen::VectorXd::Zero(m);
  std::vector<int> row_of(static_cast<size_t>(m), -1);
  for (int added = 0; added < n; ++added) {
    Eigen::VectorXd distance = Eigen::VectorXd::Constant(m, std::numeric_limits<double>::infinity());
    std::vector<int> before(static_cast<size_t>(m), -1);  // the previous column on the path
    std::vector<bool> done(static_cast<size_t>(m));
    int row = added, column = -1;
    double length = 0;
    do {
      int nearest = -1;
      for (int j = 0; j < m; ++j) {
        if (done[static_cast<size_t>(j)]) continue;
        const double through = length + cost(row, j) - of_row(row) - of_column(j);
        if (through < distance(j)) {
          distance(j) = through;
          before[static_cast<size_t>(j)] = column;
        }
        if (nearest < 0 || distance(j) < distance(nearest)) nearest = j;
      }
      column = nearest;
      length = distance(column);
      done[static_cast<size_t>(column)] = true;
      row = row_of[static_cast<size_t>(column)];
    } while (row >= 0);
    of_row(added) += length;
    for (int j = 0; j < m; ++j) {
      if (!done[static_cast<size_t>(j)]) continue;
      of_column(j) -= length - distance(j);
      if (row_of[static_cast<size_t>(j)] >= 0) of_row(row_of[static_cast<size_t>(j)]) += length - distance(j);
    }
    for (int at = column; at >= 0; at = before[static_cast<size_t>(at)]) {
      const int from = before[static_cast<size_t>(at)];
      row_of[static_cast<size_t>(at)] = from < 0 ? added : row_of[static_cast<size_t>(from)];
    }
  }
  std::vector<int> column_of(static_cast<size_t>(n), -1);
  for (int j = 0; j < m; ++j)
    if (row_of[static_cast<size_t>(j)] >= 0)
      column_of[static_cast<size_t>(row_of[static_cast<size_t>(j)])] = j;
  return column_of;
}

/// The factors come before the latents in the joint moments.
Eigen::MatrixXd correlations(const Moments& joint, int64_t factors) {
  const Eigen::ArrayXd deviations = joint.covariance.diagonal().array().max(0).sqrt();
  const Eigen::ArrayXd scales = (deviations > 0).select(deviations.inverse(), 0);
  return (scales.matrix().asDiagonal() * joint.covariance * scales.matrix().asDiagonal())
      .block(0, factors, factors, joint.covariance.cols() - factors);
}

Correlation match(const Eigen::MatrixXd& correlations) {
  Correlation found;
  const auto factors = static_cast<int>(correlations.rows()), latents = static_cast<int>(correlations.cols());
  std::vector<double> gain;
  for (int i = 0; i < factors; ++i)
    for (int k = 0; k < latents; ++k) gain.push_back(std::fabs(correlations(i, k)));
  found.latents = best_assignment(gain, factors, latents);
  for (int i = 0; i < factors; ++i) {
    const int latent = found.latents[static_cast<size_t>(i)];
    found.matched.push_back(latent < 0 ? 0 : correlations(i, latent));
    found.mean.value += std::fabs(found.matched.back()) / factors;
  }
  return found;
}

}  // namespace

std::vector<int> best_assignment(const std::vector<double>& gain, int rows, int columns) {
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::MatrixXd cost = -Eigen::Map<const RowMajor>(gain.data(), rows, columns);
  if (rows <= columns) return cheapest(cost);
  std::vector<int> column_of(static_cast<size_t>(rows), -1);
  const std::vector<int> row_of = cheapest(cost.transpose());
  for (int k = 0; k < columns; ++k) column_of[static_cast<size_t>(row_of[static_cast<size_t>(k)])] = k;
  return column_of;
}

Correlation correlate(const Points& factors, const Points& latents) {
  Points joint;
  joint.width = factors.width + latents.width;
  for (int64_t row = 0; row < factors.rows(); ++row) {
    joint.values.insert(joint.values.end(), factors.row(row), factors.row(row) + factors.width);
    joint.values.insert(joint.values.end(), latents.row(row), latents.row(row) + latents.width);
  }
  const GroupedMoments moments(joint, least_rows_for_distances);
  Correlation found = match(correlations(moments.all(), factors.width));
  std::vector<double> without;
  for (int group = 0; group < moments.groups(); ++group)
    without.push_back(match(correlations(moments.without(group), factors.width)).mean.value);
  found.mean.standard_error = jackknife_error(without);
  return found;
}

}  // namespace metrics
