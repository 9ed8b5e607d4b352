// R-hat and effective sample sizes of series for which they are known: independent draws, autoregressions,
// chains that stand still, and rows of which some do not converge.
// links: vaert_core
#include "runtime/core/inference/mixing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace core {
namespace {

/// chains * draws numbers of the autoregression x' = a x + sqrt(1 - a^2) normal. Each chain has its own
/// centre.
std::vector<double> autoregression(std::mt19937& generator, double a, int64_t draws,
                                   std::vector<double> centres) {
  std::normal_distribution<double> normal;
  std::vector<double> numbers;
  for (const double centre : centres) {
    double x = normal(generator);
    for (int64_t i = 0; i < draws; ++i) {
      numbers.push_back(centre + x);
      x = a * x + std::sqrt(1 - a * a) * normal(generator);
    }
  }
  return numbers;
}

Mixing measure(double a, int64_t rows, std::vector<double> centres = {0, 0}, int64_t draws = 200) {
  std::mt19937 generator(3);
  MixingMeter meter(static_cast<int64_t>(centres.size()), draws);
  for (int64_t row = 0; row < rows; ++row) meter.add(autoregression(generator, a, draws, centres));
  return meter.result();
}

TEST(Mixing, OfIndependentDrawsIsAllOfThem) {
  const Mixing mixing = measure(0, 200);
  EXPECT_NEAR(mixing.r_hat, 1, 0.003);
  EXPECT_NEAR(mixing.effective, 400, 40);
  EXPECT_EQ(mixing.draws, 400);
  EXPECT_TRUE(mixing.mixed(2));
}

TEST(Mixing, OfAnAutoregressionIsShorterByItsCorrelationTime) {
  // ESS / N = (1 - a) / (1 + a) for an autoregression of order one.
  EXPECT_NEAR(measure(0.5, 400, {0, 0}, 2000).effective, 4000 / 3.0, 80);
  EXPECT_NEAR(measure(0.8, 400, {0, 0}, 2000).effective, 4000 / 9.0, 40);
}

TEST(Mixing, SeesChainsThatStandApart) {
  // var+ / W = 1 + the variance of the centres of the four halves; centres at +-1 have the variance 4/3.
  const Mixing mixing = measure(0, 200, {-1, 1});
  EXPECT_NEAR(mixing.r_hat, std::sqrt(1 + 4 / 3.0), 0.02);
  EXPECT_LT(mixing.effective, 20);
  EXPECT_FALSE(mixing.mixed(2));
}

TEST(Mixing, SeesAChainThatStillDrifts) {
  MixingMeter meter(1, 100);
  std::vector<double> rising(100);
  for (size_t i = 0; i < rising.size(); ++i) rising[i] = static_cast<double>(i);
  meter.add(rising);
  EXPECT_GT(meter.result().r_hat, 1.5) << "the two halves differ";
}

TEST(Mixing, OfChainsThatStandStillApartIsInfinite) {
  MixingMeter meter(2, 10);
  std::vector<double> numbers(20, 1);
  std::fill(numbers.begin() + 10, numbers.end(), 0);
  meter.add(numbers);
  EXPECT_TRUE(std::isinf(meter.result().r_hat));
  EXPECT_EQ(meter.result().apart, 1);
  EXPECT_FALSE(meter.result().mixed(2));
}

TEST(Mixing, OfAConstantIsPerfect) {
  MixingMeter meter(2, 40);
  meter.add(std::vector<double>(80, 0.3));
  EXPECT_EQ(meter.result().r_hat, 1);
  EXPECT_EQ(meter.result().effective, 80);
  EXPECT_TRUE(meter.result().mixed(2));
}

TEST(Mixing, CountsTheRowsThatDoNot) {
  std::mt19937 generator(5);
  MixingMeter meter(2, 50);
  for (int row = 0; row < 95; ++row) meter.add(autoregression(generator, 0, 50, {0, 0}));
  for (int row = 0; row < 5; ++row) meter.add(autoregression(generator, 0, 50, {-1, 1}));
  const Mixing mixing = meter.result();
  EXPECT_EQ(mixing.apart, 5);
  EXPECT_FALSE(mixing.mixed(2)) << "though R-hat of all rows is only " << mixing.r_hat;
}

TEST(Mixing, CannotBeToldFromThreeDraws) {
  MixingMeter meter(2, 3);
  meter.add({1, 2, 3, 1, 2, 3});
  EXPECT_FALSE(meter.result().enough);
  EXPECT_FALSE(meter.result().mixed(2));
}

}  // namespace
}  // namespace core
