// Means and covariances of rows, also without one group of rows. Sums are kept by group, so leaving a group
// out needs no second pass over the rows. Only the files of this module include this header.
#pragma once
#include <Eigen/Dense>
#include <vector>

#include "runtime/metrics/points.h"

namespace metrics {

struct Moments {
  double rows = 0;
  Eigen::VectorXd mean;
  Eigen::MatrixXd covariance;  // divided by rows - 1
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

  Eigen::VectorXd origin_;  // subtracted before summing, because squares of large numbers lose digits
  std::vector<Sums> sums_;
  Sums total_;
};

}  // namespace metrics
