// Means and covariances of rows, and of the rows without a part of them: sums by groups, so that leaving one
// out costs no second pass. Seen by the files of this module alone.
#pragma once
#include <Eigen/Dense>
#include <vector>

#include "runtime/metrics/points.h"

namespace metrics {

struct Moments {
  double rows = 0;
  Eigen::VectorXd mean;
  Eigen::MatrixXd covariance;  // with rows - 1 below the line
};

class GroupedMoments {
 public:
  /// Row i belongs to group i mod `groups`.
  GroupedMoments(const Points& points, int groups);

  int groups() const { return static_cast<int>(sums_.size()); }
  Moments all() const;
  Moments without(int group) const;

 private:
  struct Sums {
    double rows = 0;
    Eigen::VectorXd sum;
    Eigen::MatrixXd products;
  };
  Moments moments(const Sums& sums) const;

  Eigen::VectorXd origin_;  // sums are taken about it: squares of far numbers lose their digits
  std::vector<Sums> sums_;
  Sums total_;
};

}  // namespace metrics
