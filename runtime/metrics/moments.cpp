#include "runtime/metrics/moments.h"

#include <algorithm>

namespace metrics {

GroupedMoments::GroupedMoments(const Points& points, int groups) {
  using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Map<const RowMajor> values(points.values.data(), points.rows(), points.width);
  origin_ = values.cast<double>().colwise().mean().transpose();
  const Sums none = {0, Eigen::VectorXd::Zero(points.width),
                     Eigen::MatrixXd::Zero(points.width, points.width)};
  sums_.assign(static_cast<size_t>(groups), none);
  total_ = none;
  constexpr int64_t rows_at_once = 512;
  for (int group = 0; group < groups; ++group) {
    Sums& sums = sums_[static_cast<size_t>(group)];
    const int64_t rows = (points.rows() - group + groups - 1) / groups;
    for (int64_t first = 0; first < rows; first += rows_at_once) {
      Eigen::MatrixXd part(points.width, std::min(rows_at_once, rows - first));
      for (int64_t i = 0; i < part.cols(); ++i)
        part.col(i) = values.row((first + i) * groups + group).transpose().cast<double>() - origin_;
      sums.rows += static_cast<double>(part.cols());
      sums.sum += part.rowwise().sum();
      sums.products.noalias() += part * part.transpose();
    }
    total_.rows += sums.rows;
    total_.sum += sums.sum;
    total_.products += sums.products;
  }
}

Moments GroupedMoments::moments(const Sums& sums) const {
  const Eigen::VectorXd mean = sums.sum / sums.rows;
  return {sums.rows, mean + origin_,
          (sums.products - sums.rows * mean * mean.transpose()) / std::max(1.0, sums.rows - 1)};
}

Moments GroupedMoments::all() const { return moments(total_); }

Moments GroupedMoments::without(int group) const {
  const Sums& left_out = sums_[static_cast<size_t>(group)];
  return moments(
      {total_.rows - left_out.rows, total_.sum - left_out.sum, total_.products - left_out.products});
}

}  // namespace metrics
