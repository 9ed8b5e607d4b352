// links: tensor
// Tests the mathematics of the interpreter: Philox with published answers, samplers by their means and
// variances, special functions at known values.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "compiler/semantics/graph/build.h"
#include "compiler/semantics/graph/evaluate_numeric.h"
#include "compiler/tensor/philox.h"

namespace {
using semantics::Op;

// Salmon et al., Random123's kat_vectors: philox4x32-10.
TEST(Philox, GivesThePublishedAnswers) {
  EXPECT_EQ(tensor::philox({0, 0, 0, 0}, 0),
            (tensor::Counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(tensor::philox({~0u, ~0u, ~0u, ~0u}, ~uint64_t{0}),
            (tensor::Counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

// runtime/image.md: element i takes counter (i >> 7) * 32 + (i & 31), word (i >> 5) & 3.
TEST(Philox, DealsTilesOf128ToElements) {
  const auto words = tensor::philox({32 + 5, 9, 4, 0}, 77);
  const uint64_t element = 128 + 2 * 32 + 5;
  EXPECT_EQ(tensor::uniform_draw({77, 4, 9, element}), ((words[2] >> 9) + 0.5) * 0x1p-23);
}

struct Moments {
  double mean, variance;
};
Moments moments(Op op, double a, double b) {
  const int n = 40000;
  double sum = 0, square = 0;
  for (int i = 0; i < n; ++i) {
    const double x = tensor::draw(op, {3, 1, 2, static_cast<uint64_t>(i)}, a, b);
    sum += x;
    square += x * x;
  }
  return {sum / n, square / n - sum / n * sum / n};
}
void expect_moments(Op op, double a, double b, double mean, double variance) {
  const Moments found = moments(op, a, b);
  EXPECT_NEAR(found.mean, mean, 5 * std::sqrt(variance / 40000)) << semantics::info(op).name;
  EXPECT_NEAR(found.variance, variance, 0.05 * variance) << semantics::info(op).name;
}

TEST(Draws, HaveTheMeanAndVarianceOfTheirLaw) {
  expect_moments(Op::uniform, 0, 0, 0.5, 1.0 / 12);
  expect_moments(Op::normal, 0, 0, 0, 1);
  expect_moments(Op::gumbel, 0, 0, std::numbers::egamma, std::numbers::pi * std::numbers::pi / 6);
  // digamma(1) and trigamma(1); for 1/2: digamma(1) - 2 log 2 and pi^2 / 2.
  expect_moments(Op::gamma_log, 1, 0, -std::numbers::egamma, std::numbers::pi * std::numbers::pi / 6);
  expect_moments(Op::gamma_log, 0.5, 0, -std::numbers::egamma - 2 * std::numbers::ln2,
                 std::numbers::pi * std::numbers::pi / 2);
  expect_moments(Op::beta, 2, 3, 0.4, 0.04);
  expect_moments(Op::poisson, 3.5, 0, 3.5, 3.5);
  expect_moments(Op::binomial, 10, 0.3, 3, 2.1);
  expect_moments(Op::binomial, 1000, 0.97, 970, 29.1);
  expect_moments(Op::binomial, 1e9, 2e-9, 2, 2);
  expect_moments(Op::binomial, 1e9, 0.6, 6e8, 2.4e8);
}

TEST(Draws, VonMisesHasItsMeanDirection) {
  double c = 0, s = 0;
  for (uint64_t i = 0; i < 40000; ++i) {
    const double x = tensor::draw(Op::von_mises, {3, 1, 2, i}, 0.7, 2);
    ASSERT_LE(std::abs(x), std::numbers::pi);
    c += std::cos(x), s += std::sin(x);
  }
  EXPECT_NEAR(std::atan2(s, c), 0.7, 0.02);
  EXPECT_NEAR(std::hypot(s, c) / 40000, semantics::apply(Op::i1_over_i0, 2, 0, 0), 0.01);
}

TEST(Draws, EndAtAllParameters) {
  std::vector<double> all = {0, INFINITY, NAN};
  for (int k = -149; k <= 127; k += 6) all.push_back(std::ldexp(1.0, k));
  for (const double a : all)
    for (uint64_t i = 0; i < 5; ++i) {
      EXPECT_EQ(std::isnan(tensor::draw(Op::gamma_log, {3, 1, 2, i}, a, 0)), !std::isfinite(a)) << a;
      EXPECT_EQ(tensor::draw(Op::poisson, {3, 1, 2, i}, a, 0) >= 0, !std::isnan(a)) << a;
      EXPECT_EQ(std::abs(tensor::draw(Op::von_mises, {3, 1, 2, i}, 1, a)) < 3.15, !std::isnan(a)) << a;
      for (const double b : all) {
        const bool sound = std::isfinite(a) && b <= 1;
        const double successes = tensor::draw(Op::binomial, {3, 1, 2, i}, a, b);
        EXPECT_EQ(successes >= 0 && successes <= a, sound) << a << ", " << b;
      }
    }
}

// Tests the draws that are used to check a family: E cos = I1 / I0, with about the same number of tries at
// every concentration.
TEST(Draws, OfTheNumericEvaluatorHaveTheirMeanDirection) {
  constexpr int64_t draws = 100000;
  for (const double concentration : {0.0, 0.3, 0.99, 1.01, 4.0, 300.0, 1e5, 1e9, 1e15}) {
    semantics::Graph graph;
    semantics::Build build{&graph, {}};
    const auto mean = build.filled(0, {draws}), narrow = build.filled(concentration, {draws});
    const auto drawn = build.random(Op::von_mises, {mean, narrow}, {draws});
    semantics::NumericEvaluator evaluate(graph, [](const semantics::Node&) { return semantics::Numbers{}; });
    double away = 0, squares = 0;
    for (const double angle : evaluate(drawn)) {
      const double below_one = 2 * std::sin(0.5 * angle) * std::sin(0.5 * angle);
      away += below_one / draws;
      squares += below_one * below_one / draws;
    }
    // 1 - I1 / I0 is 1 / (2 concentration) to first order.
    const double ratio = semantics::apply(Op::i1_over_i0, concentration, 0, 0);
    const double expected = concentration > 1e4 ? 0.5 / concentration : 1 - ratio;
    EXPECT_NEAR(away, expected, 5 * std::sqrt((squares - away * away) / draws)) << concentration;
  }
}

TEST(SpecialFunctions, HaveTheirKnownValues) {
  EXPECT_NEAR(semantics::apply(Op::digamma, 1, 0, 0), -std::numbers::egamma, 1e-12);
  EXPECT_NEAR(semantics::apply(Op::digamma, 0.5, 0, 0), -std::numbers::egamma - 2 * std::numbers::ln2, 1e-12);
  EXPECT_NEAR(semantics::apply(Op::trigamma, 1, 0, 0), std::numbers::pi * std::numbers::pi / 6, 1e-12);
  EXPECT_NEAR(semantics::apply(Op::log_i0, 2, 0, 0), std::log(2.2795853023360673), 1e-12);
  EXPECT_NEAR(semantics::apply(Op::i1_over_i0, 2, 0, 0), 1.5906368546373291 / 2.2795853023360673, 1e-12);
  EXPECT_EQ(semantics::apply(Op::modulo, -1, 3, 0), 2);
}

}  // namespace
