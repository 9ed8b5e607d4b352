#include "runtime/metrics/frechet.h"

#include <cmath>

#include "runtime/metrics/moments.h"

namespace metrics {
namespace {

using Solver = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>;

/// The square root of a positive semidefinite matrix. Eigenvalues that are negative because of rounding count
/// as 0.
Eigen::MatrixXd square_root(const Eigen::MatrixXd& matrix) {
  const Solver solver(matrix);
  const Eigen::VectorXd roots = solver.eigenvalues().cwiseMax(0).cwiseSqrt();
  return solver.eigenvectors() * roots.asDiagonal() * solver.eigenvectors().transpose();
}

/// `root`: the square root of a's covariance.
double distance(const Moments& a, const Eigen::MatrixXd& root, const Moments& b) {
  const Eigen::MatrixXd product = root * b.covariance * root;
  const Solver solver((product + product.transpose()) / 2, Eigen::EigenvaluesOnly);
  return (a.mean - b.mean).squaredNorm() + a.covariance.trace() + b.covariance.trace() -
         2 * solver.eigenvalues().cwiseMax(0).cwiseSqrt().sum();
}

double leaving_out(const GroupedMoments& changing, const Moments& fixed, const Eigen::MatrixXd& root) {
  std::vector<double> distances;
  for (int group = 0; group < changing.groups(); ++group)
    distances.push_back(distance(fixed, root, changing.without(group)));
  return jackknife_error(distances);
}

}  // namespace

Estimate frechet_distance(const Points& a, const Points& b) {
  const GroupedMoments of_a(a, least_rows_for_distances), of_b(b, least_rows_for_distances);
  const Moments all_a = of_a.all(), all_b = of_b.all();
  const Eigen::MatrixXd root_a = square_root(all_a.covariance), root_b = square_root(all_b.covariance);
  // The two sets are independent, so their variances add up.
  return {distance(all_a, root_a, all_b),
          std::hypot(leaving_out(of_a, all_b, root_b), leaving_out(of_b, all_a, root_a))};
}

}  // namespace metrics
