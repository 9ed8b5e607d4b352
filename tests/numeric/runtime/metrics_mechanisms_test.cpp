// The contrast of a Jacobian's columns, compared with its definition by determinants, for orthogonal columns,
// and for columns of which one is a multiple of another.
// links: vaert_metrics
#include <gtest/gtest.h>

#include <cmath>

#include "runtime/metrics/mechanisms.h"

namespace metrics {
namespace {

TEST(ColumnContrast, IsZeroOfOrthogonalColumnsOfAnyLength) {
  EXPECT_NEAR(column_contrast({3e-4, 0, 0, 2, 4e-4, 0}, 3, 2), 0, 1e-12);
  EXPECT_NEAR(column_contrast({7}, 1, 1), 0, 1e-12);
  const double c = std::cos(0.7), s = std::sin(0.7);
  EXPECT_NEAR(column_contrast({1e5 * c, -s, 1e5 * s, c}, 2, 2), 0, 1e-12);
}

// 1/2 (log a'a + log b'b - log (a'a b'b - (a'b)^2)).
TEST(ColumnContrast, IsTheDefinitionByDeterminants) {
  const std::vector<double> jacobian = {1, 2, -0.5, 1.5, 3, 0.25};
  double aa = 0, bb = 0, ab = 0;
  for (size_t i = 0; i < 3; ++i) {
    const double a = jacobian[2 * i], b = jacobian[2 * i + 1];
    aa += a * a, bb += b * b, ab += a * b;
  }
  EXPECT_NEAR(column_contrast(jacobian, 3, 2), 0.5 * (std::log(aa * bb) - std::log(aa * bb - ab * ab)),
              1e-12);
}

TEST(ColumnContrast, IsInfiniteOfDependentColumns) {
  EXPECT_EQ(column_contrast({1, 2, 2, 4}, 2, 2), INFINITY);
  EXPECT_EQ(column_contrast({1, 0, 2, 0}, 2, 2), INFINITY);
  EXPECT_EQ(column_contrast({1, 2}, 1, 2), INFINITY);
}

}  // namespace
}  // namespace metrics
