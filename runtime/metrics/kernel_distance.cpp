#include "runtime/metrics/kernel_distance.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

namespace metrics {
namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr int64_t rows_in_a_block = 1000;
constexpr int64_t least_blocks = 10, most_blocks = 50;

/// Takes rows at equal distances, so that a block is spread over all rows: neighbouring rows may be similar.
Eigen::MatrixXd block(const Points& points, int64_t number, int64_t rows) {
  const Eigen::Map<const RowMajor> all(points.values.data(), points.rows(), points.width);
  const int64_t apart = points.rows() / rows;
  Eigen::MatrixXd block(rows, points.width);
  for (int64_t i = 0; i < rows; ++i) block.row(i) = all.row(i * apart + number % apart).cast<double>();
  return block;
}

/// The mean of the kernel over pairs of rows. If both sides are the same rows (`same`), pairs of a row with
/// itself are left out.
double mean_of_pairs(const Eigen::MatrixXd& kernel, bool same) {
  const auto rows = static_cast<double>(kernel.rows());
  return same ? (kernel.sum() - kernel.trace()) / (rows * (rows - 1)) : kernel.mean();
}

template <typename Kernel>
Estimate distance(const Points& a, const Points& b, const Kernel& kernel) {
  const int64_t rows = std::min(a.rows(), b.rows());
  const int64_t blocks = std::clamp(rows / rows_in_a_block, least_blocks, most_blocks);
  const int64_t size = std::min(rows / blocks, rows_in_a_block);
  std::vector<double> distances;
  for (int64_t i = 0; i < blocks; ++i) {
    const Eigen::MatrixXd of_a = block(a, i, size), of_b = block(b, i, size);
    distances.push_back(mean_of_pairs(kernel(of_a, of_a), true) + mean_of_pairs(kernel(of_b, of_b), true) -
                        2 * mean_of_pairs(kernel(of_a, of_b), false));
  }
  return mean_of(distances);
}

Eigen::MatrixXd squared_distances(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  return (a.rowwise().squaredNorm().replicate(1, b.rows()) +
          b.rowwise().squaredNorm().transpose().replicate(a.rows(), 1) - 2 * a * b.transpose())
      .cwiseMax(0);
}

/// Of pairs among at most 1000 rows, spread over all rows; 1 if the median is 0.
double median_squared_distance(const Points& points) {
  const Eigen::MatrixXd first_rows = block(points, 0, std::min(points.rows(), rows_in_a_block));
  const Eigen::MatrixXd squares = squared_distances(first_rows, first_rows);
  std::vector<double> pairs;
  for (int64_t i = 0; i < squares.rows(); ++i)
    for (int64_t k = 0; k < i; ++k) pairs.push_back(squares(i, k));
  const auto middle = pairs.begin() + static_cast<int64_t>(pairs.size()) / 2;
  std::nth_element(pairs.begin(), middle, pairs.end());
  return *middle > 0 ? *middle : 1;
}

}  // namespace

Estimate polynomial_distance(const Points& a, const Points& b) {
  return distance(a, b, [&](const Eigen::MatrixXd& x, const Eigen::MatrixXd& y) -> Eigen::MatrixXd {
    return ((x * y.transpose()).array() / static_cast<double>(a.width) + 1).cube();
  });
}

Estimate gaussian_distance(const Points& a, const Points& b) {
  const double median = median_squared_distance(b);
  return distance(a, b, [&](const Eigen::MatrixXd& x, const Eigen::MatrixXd& y) -> Eigen::MatrixXd {
    // Kernels exp(-d^2 / (2 w^2)) of width w = c sqrt(median), for c = 1/2, 1 and 2.
    const Eigen::ArrayXXd scaled = squared_distances(x, y).array() / (-2 * median);
    return ((4 * scaled).exp() + scaled.exp() + (scaled / 4).exp()) / 3;
  });
}

}  // namespace metrics
