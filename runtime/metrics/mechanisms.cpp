#include "runtime/metrics/mechanisms.h"

#include <Eigen/Dense>
#include <cmath>
#include <limits>

namespace metrics {

double column_contrast(const std::vector<double>& jacobian, int outputs, int latents) {
  using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Eigen::MatrixXd columns = Eigen::Map<const Matrix>(jacobian.data(), outputs, latents);
  // Each column is scaled to length 1. This does not change the contrast, and makes its first sum zero.
  for (int k = 0; k < latents; ++k) {
    const double length = columns.col(k).norm();
    if (!(length > 0)) return std::numeric_limits<double>::infinity();
    columns.col(k) /= length;
  }
  if (outputs < latents) return std::numeric_limits<double>::infinity();
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(columns);
  double sum = 0;
  for (int k = 0; k < latents; ++k) {
    const double pivot = std::abs(qr.matrixQR()(k, k));
    // Jacobians are computed in single precision, so a smaller pivot is rounding error.
    if (pivot < 1e-7) return std::numeric_limits<double>::infinity();
    sum -= std::log(pivot);
  }
  return std::max(0.0, sum);
}

}  // namespace metrics
