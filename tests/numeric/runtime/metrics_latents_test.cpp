// Assignments compared with all permutations; correlations of latents that are permuted and scaled factors;
// mutual information of latents that tell everything or nothing.
// links: vaert_metrics
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "runtime/metrics/latent_use.h"
#include "runtime/metrics/matching.h"

namespace metrics {
namespace {

double sum_of(const std::vector<double>& gain, const std::vector<int>& column_of, int columns) {
  double sum = 0;
  for (size_t row = 0; row < column_of.size(); ++row)
    if (column_of[row] >= 0)
      sum += gain[row * static_cast<size_t>(columns) + static_cast<size_t>(column_of[row])];
  return sum;
}

/// The best sum over all ways to give each row a column of its own.
double best_by_trial(const std::vector<double>& gain, int rows, int columns) {
  std::vector<int> order(static_cast<size_t>(columns));
  std::iota(order.begin(), order.end(), 0);
  double best = -INFINITY;
  do best = std::max(best, sum_of(gain, {order.begin(), order.begin() + rows}, columns));
  while (std::next_permutation(order.begin(), order.end()));
  return best;
}

TEST(Assignment, IsTheBestOfAll) {
  std::mt19937 generator(1);
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (int trial = 0; trial < 40; ++trial)
    for (const auto& [rows, columns] : {std::pair(1, 1), {3, 3}, {6, 6}, {3, 6}, {2, 7}}) {
      std::vector<double> gain(static_cast<size_t>(rows * columns));
      for (double& entry : gain) entry = uniform(generator);
      const std::vector<int> found = best_assignment(gain, rows, columns);
      EXPECT_NEAR(sum_of(gain, found, columns), best_by_trial(gain, rows, columns), 1e-12);
      std::vector<int> used = found;
      std::sort(used.begin(), used.end());
      EXPECT_EQ(std::adjacent_find(used.begin(), used.end()), used.end()) << "a column is taken twice";
      EXPECT_GE(used.front(), 0);
    }
}

// The greedy choice, 10 + 0, is worse than 9 + 8.
TEST(Assignment, IsNotGreedy) { EXPECT_EQ(best_assignment({10, 9, 8, 0}, 2, 2), (std::vector<int>{1, 0})); }

TEST(Assignment, LeavesRowsWithoutAColumn) {
  EXPECT_EQ(best_assignment({1, 5, 3}, 3, 1), (std::vector<int>{-1, 0, -1}));
}

TEST(Correlation, FindsPermutedAndScaledFactors) {
  std::mt19937 generator(2);
  std::normal_distribution<float> normal;
  Points factors{3, {}}, latents{4, {}};
  for (int i = 0; i < 2000; ++i) {
    const float a = normal(generator), b = normal(generator), c = normal(generator);
    factors.values.insert(factors.values.end(), {a, b, c});
    latents.values.insert(latents.values.end(),
                          {7, -3 * c, 2 * a + 1, 0.5f * (b + std::sqrt(3.f) * normal(generator))});
  }
  const Correlation found = correlate(factors, latents);
  EXPECT_EQ(found.latents, (std::vector<int>{2, 3, 1}));
  EXPECT_NEAR(found.matched[0], 1, 1e-4);
  EXPECT_NEAR(found.matched[1], .5, .06);  // b's correlation with (b + sqrt(3) noise) / 2
  EXPECT_NEAR(found.matched[2], -1, 1e-4);
  EXPECT_NEAR(found.mean.value, 2.5 / 3, .02);
  // The standard error of a correlation is (1 - r^2) / sqrt(n). It is divided by three, because only one of
  // the three correlations is not 1.
  EXPECT_NEAR(found.mean.standard_error, .75 / std::sqrt(2000.) / 3, .002);
}

TEST(Correlation, AFactorWithoutALatentCountsZero) {
  Points factors{2, {}}, latents{1, {}};
  for (int i = 0; i < 100; ++i) {
    factors.values.insert(factors.values.end(), {static_cast<float>(i), static_cast<float>(i * 37 % 100)});
    latents.values.push_back(static_cast<float>(-i));
  }
  const Correlation found = correlate(factors, latents);
  EXPECT_EQ(found.latents, (std::vector<int>{0, -1}));
  EXPECT_NEAR(found.mean.value, .5, 1e-6);
}

// Three bits: one is the parity of the row, one is always a fair coin, one tells a little. Half of the rows
// have p = 0.75 and half p = 0.25, so its information is log 2 - h(0.25).
TEST(MutualInformation, IsTheClosedFormOfBits) {
  Points probabilities{3, {}};
  for (int i = 0; i < 1000; ++i) {
    const float odd = static_cast<float>(i % 2);
    probabilities.values.insert(probabilities.values.end(), {odd, .5f, .25f + .5f * odd});
  }
  const Information found = mutual_information(probabilities, 3);
  const double quarter = -.25 * std::log(.25) - .75 * std::log(.75);
  EXPECT_NEAR(found.latents[0].value, std::log(2), 1e-9);
  EXPECT_NEAR(found.latents[1].value, 0, 1e-9);
  EXPECT_NEAR(found.latents[2].value, std::log(2) - quarter, 1e-6);
  EXPECT_NEAR(found.total.value, 2 * std::log(2) - quarter, 1e-6);
  EXPECT_NEAR(found.total.standard_error, 0, 1e-6);
}

// Two categories with three classes each; the first axis is the class. The first latent tells in which third
// the row is; the second is always class 1.
TEST(MutualInformation, IsTheClosedFormOfCategories) {
  Points probabilities{6, {}};
  for (int i = 0; i < 300; ++i)
    for (int c = 0; c < 3; ++c)
      probabilities.values.insert(probabilities.values.end(), {i % 3 == c ? 1.f : 0.f, c == 1 ? 1.f : 0.f});
  const Information found = mutual_information(probabilities, 2);
  EXPECT_NEAR(found.latents[0].value, std::log(3), 1e-9);
  EXPECT_NEAR(found.latents[1].value, 0, 1e-9);
}

TEST(MutualInformation, StandardErrorIsTheSpreadOverDraws) {
  std::mt19937 generator(3);
  std::uniform_real_distribution<float> uniform;
  std::vector<double> values;
  double said = 0;
  constexpr int repetitions = 200;
  for (int i = 0; i < repetitions; ++i) {
    Points probabilities{1, {}};
    for (int row = 0; row < 100; ++row) probabilities.values.push_back(uniform(generator));
    const Information found = mutual_information(probabilities, 1);
    values.push_back(found.total.value);
    said += found.total.standard_error / repetitions;
  }
  EXPECT_NEAR(said / (mean_of(values).standard_error * std::sqrt(repetitions)), 1, .15);
}

// z ~ N(r x, 1 - r^2) with x ~ N(0, 1): the information is -1/2 log(1 - r^2).
TEST(InformationOfDraws, IsThatOfTwoNormalNumbers) {
  constexpr int n = 800;
  constexpr double r = .8;
  std::mt19937 generator(4);
  std::normal_distribution<double> normal;
  std::vector<double> x(n), z(n), densities;
  for (int i = 0; i < n; ++i)
    x[i] = normal(generator), z[i] = r * x[i] + std::sqrt(1 - r * r) * normal(generator);
  for (int k = 0; k < n; ++k)
    for (int j = 0; j < n; ++j)
      densities.push_back(-.5 * (z[k] - r * x[j]) * (z[k] - r * x[j]) / (1 - r * r));
  const Estimate found = information_of_draws(densities, n);
  EXPECT_NEAR(found.value, -.5 * std::log(1 - r * r), 4 * found.standard_error);
  EXPECT_GT(found.standard_error, .005);
  EXPECT_LT(found.standard_error, .05);
}

TEST(InformationOfDraws, IsAtMostTheLogarithmOfTheirNumber) {
  std::vector<double> densities(100, -1000);
  for (int k = 0; k < 10; ++k) densities[static_cast<size_t>(k * 10 + k)] = 0;
  EXPECT_NEAR(information_of_draws(densities, 10).value, std::log(10), 1e-12);
  EXPECT_NEAR(information_of_draws(std::vector<double>(100, -7), 10).value, 0, 1e-12);
}

TEST(Variances, AreThoseOfTheColumns) {
  const std::vector<Estimate> found = variances({2, {1, 5, 3, 5, 5, 5}});
  EXPECT_NEAR(found[0].value, 8. / 3, 1e-12);
  EXPECT_NEAR(found[1].value, 0, 1e-12);
  EXPECT_NEAR(found[1].standard_error, 0, 1e-12);
}

// Two measures are surely above the threshold, one is surely below, and one is on it and counts with
// probability 1/2.
TEST(Count, HasTheErrorOfWhatIsNearTheThreshold) {
  const Estimate found = count_above({{1, .001}, {.5, .01}, {.001, .0001}, {.01, .005}}, .01);
  EXPECT_EQ(found.value, 2);
  EXPECT_NEAR(found.standard_error, .5, 1e-9);
}

}  // namespace
}  // namespace metrics
