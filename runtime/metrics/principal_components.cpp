#include "runtime/metrics/principal_components.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <random>

namespace metrics {
namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ConstRows = Eigen::Map<const RowMajor>;

constexpr int64_t more_than_asked = 32;  // extra columns, which speed up the convergence
constexpr int iterations = 6;

RowMajor orthonormal(const RowMajor& columns) {
  const Eigen::HouseholderQR<Eigen::MatrixXf> qr(columns);
  return qr.householderQ() * Eigen::MatrixXf::Identity(columns.rows(), columns.cols());
}

}  // namespace

PrincipalComponents::PrincipalComponents(const Points& fitted_on, int64_t components) {
  const ConstRows values(fitted_on.values.data(), fitted_on.rows(), fitted_on.width);
  const Eigen::RowVectorXf mean = values.cast<double>().colwise().mean().cast<float>();
  const RowMajor centred = values.rowwise() - mean;
  const int64_t kept = std::min(components, fitted_on.width);
  RowMajor basis(fitted_on.width, std::min(fitted_on.width, kept + more_than_asked));
  std::mt19937 generator(1);
  for (int64_t i = 0; i < basis.size(); ++i)
    basis.data()[i] = static_cast<float>(generator()) / 2147483648.f - 1;
  RowMajor scores;
  for (int i = 0; i < iterations; ++i) {
    basis = orthonormal(basis);
    scores = centred * basis;
    if (i + 1 < iterations) basis = centred.transpose() * scores;
  }
  const Eigen::MatrixXd scores_squared = (scores.transpose() * scores).cast<double>();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(scores_squared);
  // Eigenvalues are in ascending order.
  const Eigen::MatrixXd turn = solver.eigenvectors().rightCols(kept).rowwise().reverse();
  const double squares = solver.eigenvalues().tail(kept).cwiseMax(0).sum() /
                         (static_cast<double>(fitted_on.rows()) * static_cast<double>(kept));
  RowMajor directions = basis * turn.cast<float>();
  if (squares > 0) scale_ = std::sqrt(squares);
  directions /= static_cast<float>(scale_);
  mean_.assign(mean.data(), mean.data() + mean.size());
  directions_.assign(directions.data(), directions.data() + directions.size());
}

void PrincipalComponents::append_scores(const float* rows, int64_t count, Points& to) const {
  const auto width = static_cast<int64_t>(mean_.size());
  to.width = components();
  const ConstRows values(rows, count, width), directions(directions_.data(), width, to.width);
  const Eigen::Map<const Eigen::RowVectorXf> mean(mean_.data(), width);
  const RowMajor centred = values.rowwise() - mean;
  const size_t before = to.values.size();
  to.values.resize(before + static_cast<size_t>(count * to.width));
  Eigen::Map<RowMajor>(to.values.data() + before, count, to.width).noalias() = centred * directions;
}

}  // namespace metrics
