// Distances between sets of rows for which they are known: normal distributions, shifted and scaled ones,
// equal ones. Also the principal components of rows that vary in few directions.
// links: vaert_metrics
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "runtime/metrics/frechet.h"
#include "runtime/metrics/kernel_distance.h"
#include "runtime/metrics/principal_components.h"

namespace metrics {
namespace {

/// Independent normal numbers with these means and deviations.
Points normal_rows(int64_t rows, const std::vector<double>& means, const std::vector<double>& deviations,
                   unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  Points points;
  points.width = static_cast<int64_t>(means.size());
  for (int64_t row = 0; row < rows; ++row)
    for (size_t k = 0; k < means.size(); ++k)
      points.values.push_back(static_cast<float>(means[k] + deviations[k] * normal(generator)));
  return points;
}

TEST(FrechetDistance, IsZeroForTheSameRows) {
  const Points points = normal_rows(500, {1, -2, 3}, {1, 2, .1}, 1);
  EXPECT_NEAR(frechet_distance(points, points).value, 0, 1e-6);
}

// For independent coordinates the distance is the sum of (m - m')^2 + (s - s')^2.
TEST(FrechetDistance, IsThatOfTheTwoNormalDistributions) {
  const Points a = normal_rows(20000, {0, 1, 5}, {1, 2, .5}, 1);
  const Points b = normal_rows(20000, {.5, 1, 4}, {2, 2, 1.5}, 2);
  const Estimate found = frechet_distance(a, b);
  const double expected = .25 + 1 + 1 + 1;
  EXPECT_NEAR(found.value, expected, 4 * found.standard_error + .01);
  EXPECT_GT(found.standard_error, .01);
  EXPECT_LT(found.standard_error, .1);
}

// Two unequal variances are exchanged, which only the covariance shows. For C = diag(4, 1) and C' = diag(1,
// 4), tr(C + C' - 2 (C^1/2 C' C^1/2)^1/2) = 10 - 2 (2 + 2) = 2.
TEST(FrechetDistance, SeesCovariances) {
  const Points a = normal_rows(40000, {0, 0}, {2, 1}, 3), b = normal_rows(40000, {0, 0}, {1, 2}, 4);
  const Estimate found = frechet_distance(a, b);
  EXPECT_NEAR(found.value, 2, 4 * found.standard_error + .01);
}

TEST(FrechetDistance, StandardErrorIsTheSpreadOverDraws) {
  std::vector<double> values;
  double said = 0;
  constexpr int repetitions = 60;
  for (unsigned i = 0; i < repetitions; ++i) {
    const Estimate found = frechet_distance(normal_rows(400, {0, 0}, {1, 1}, 100 + i),
                                            normal_rows(400, {1, 0}, {1, 1.5}, 900 + i));
    values.push_back(found.value);
    said += found.standard_error / repetitions;
  }
  const double spread = mean_of(values).standard_error * std::sqrt(repetitions);
  EXPECT_NEAR(said / spread, 1, .25);
}

// (x.y / width + 1)^3 on one dimension: E k(x, y) = 1 + 3 E x E y + 3 E x^2 E y^2 + E x^3 E y^3 for
// independent x, y; for N(0, 1) against N(m, 1) the squared discrepancy is 3 m^2 + 3 m^4 + (3 m + m^3)^2.
TEST(KernelDistance, PolynomialIsItsClosedForm) {
  const double m = .5, expected = 3 * m * m + 3 * std::pow(m, 4) + std::pow(3 * m + m * m * m, 2);
  const Estimate found =
      polynomial_distance(normal_rows(10000, {0}, {1}, 5), normal_rows(10000, {m}, {1}, 6));
  EXPECT_NEAR(found.value, expected, 4 * found.standard_error);
  EXPECT_LT(found.standard_error, .3);
}

TEST(KernelDistance, EqualDistributionsAreZeroWithinTheError) {
  const Points a = normal_rows(3000, {0, 0}, {1, 1}, 7), b = normal_rows(5000, {0, 0}, {1, 1}, 8);
  for (const Estimate& found : {polynomial_distance(a, b), gaussian_distance(a, b)}) {
    EXPECT_LT(std::fabs(found.value), 4 * found.standard_error);
    EXPECT_GT(found.standard_error, 0);
  }
}

// A Gaussian kernel of width w between N(m, s^2) and N(m', s^2) in one dimension: E k =
// w / sqrt(w^2 + 2 s^2) exp(-(m - m')^2 / (2 (w^2 + 2 s^2))); the median squared distance of N(0, 1) is
// 2 * 0.6745^2.
TEST(KernelDistance, GaussianIsItsClosedForm) {
  const double shift = 1, median = 2 * .6744898 * .6744898;
  double expected = 0;
  for (const double factor : {.25, 1., 4.}) {
    const double w = factor * median;
    expected += 2 * std::sqrt(w / (w + 2)) * (1 - std::exp(-shift * shift / (2 * (w + 2)))) / 3;
  }
  const Estimate found =
      gaussian_distance(normal_rows(5000, {shift}, {1}, 9), normal_rows(5000, {0}, {1}, 10));
  EXPECT_NEAR(found.value, expected, 4 * found.standard_error + .005);
  EXPECT_LT(found.standard_error, .03);
}

// Forty dimensions, two of which vary much. The first scores have their variances, in units of the mean
// variance.
TEST(PrincipalComponents, FindTheDirectionsOfLargestVariance) {
  std::vector<double> means(40, 3), deviations(40, .01);
  deviations[7] = 3, deviations[30] = 4;
  const Points points = normal_rows(4000, means, deviations, 11);
  const PrincipalComponents fitted(points, 2);
  EXPECT_EQ(fitted.components(), 2);
  Points scores;
  fitted.append_scores(points.values.data(), points.rows(), scores);
  ASSERT_EQ(scores.rows(), points.rows());
  double first = 0, second = 0, both = 0;
  for (int64_t i = 0; i < scores.rows(); ++i) {
    first += scores.row(i)[0] * scores.row(i)[0], second += scores.row(i)[1] * scores.row(i)[1];
    both += scores.row(i)[0] * scores.row(i)[1];
  }
  EXPECT_NEAR(first / second, 16. / 9, .1);
  EXPECT_NEAR((first + second) / (2 * 4000), 1, 1e-3);
  EXPECT_NEAR(both / 4000, 0, 1e-3);
}

TEST(PrincipalComponents, AreNoMoreThanTheDimensions) {
  const PrincipalComponents fitted(normal_rows(50, {0, 0, 0}, {1, 1, 1}, 12), 64);
  EXPECT_EQ(fitted.components(), 3);
}

}  // namespace
}  // namespace metrics
