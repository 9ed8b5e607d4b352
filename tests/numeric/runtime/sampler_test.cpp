// links: vaert_core
// The runtime's samplers have the moments of their distributions, and its special functions agree with their
// definitions.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

#include "runtime/abi.h"

namespace {

constexpr double pi = std::numbers::pi;

struct Moments {
  double mean = 0, variance = 0;
};

constexpr int draws = 200000;

Moments moments_of(const std::function<double(uint64_t)>& draw) {
  double sum = 0, squares = 0;
  for (uint64_t element = 0; element < draws; ++element) {
    const double value = draw(element);
    sum += value;
    squares += value * value;
  }
  const double mean = sum / draws;
  return {mean, squares / draws - mean * mean};
}

/// The mean must be within five standard errors, the variance within five percent.
void expect_moments(const Moments& got, double mean, double variance, const std::string& what) {
  EXPECT_NEAR(got.mean, mean, 5 * std::sqrt(variance / draws)) << what;
  EXPECT_NEAR(got.variance / variance, 1, 0.05) << what;
}

TEST(Samplers, gamma_has_its_moments) {
  for (const float shape : {0.1F, 0.7F, 1.0F, 3.5F, 200.0F}) {
    expect_moments(
        moments_of([&](uint64_t i) { return std::exp(vaert_sample_gamma_log(1, 2, 3, i, shape)); }), shape,
        shape, std::to_string(shape));
  }
}

TEST(Samplers, beta_has_its_moments) {
  for (const auto& [a, b] : {std::pair{0.3F, 0.2F}, {1.0F, 1.0F}, {5.0F, 2.0F}}) {
    const double sum = a + b;
    expect_moments(moments_of([&](uint64_t i) { return vaert_sample_beta(1, 2, 3, i, a, b); }), a / sum,
                   a * b / (sum * sum * (sum + 1)), std::to_string(a));
  }
}

TEST(Samplers, poisson_has_its_moments) {
  for (const float rate : {0.2F, 3.0F, 9.9F, 10.1F, 45.0F, 1000.0F}) {
    expect_moments(moments_of([&](uint64_t i) { return vaert_sample_poisson(4, 0, 9, i, rate); }), rate, rate,
                   std::to_string(rate));
  }
  EXPECT_EQ(vaert_sample_poisson(4, 0, 9, 0, 0), 0);
}

TEST(Samplers, binomial_has_its_moments) {
  for (const auto& [n, prob] :
       {std::pair{1.0F, 0.25F}, {20.0F, 0.1F}, {20.0F, 0.9F}, {100.0F, 0.5F}, {1000.0F, 0.03F}}) {
    const double p = prob;
    expect_moments(moments_of([&](uint64_t i) { return vaert_sample_binomial(4, 1, 9, i, n, prob); }), n * p,
                   n * p * (1 - p), std::to_string(n));
  }
  EXPECT_EQ(vaert_sample_binomial(4, 1, 9, 0, 12, 0), 0);
  EXPECT_EQ(vaert_sample_binomial(4, 1, 9, 0, 12, 1), 12);
}

TEST(Samplers, binomial_of_any_size_has_its_moments) {
  for (const float n : {1e9F, 1e13F, 1e16F, 1e24F, 1e37F})
    for (const float mean : {3.0F, 20.0F, 1e3F, 1e6F, 1e11F}) {
      const double p = mean / n;
      if (p > 0.5) continue;
      const double expected = double{n} * static_cast<float>(p);
      const auto draw = [&](uint64_t i) {
        return vaert_sample_binomial(4, 1, 9, i, n, static_cast<float>(p)) - expected;
      };
      expect_moments(moments_of(draw), 0, expected, fmt::format("{} of {}", mean, n));
    }
}

TEST(Samplers, end_at_all_parameters) {
  std::vector<float> all = {0, std::numeric_limits<float>::max(), std::numeric_limits<float>::infinity()};
  for (int k = -149; k <= 127; k += 3) all.push_back(std::ldexp(1.0F, k));
  for (const float a : all) {
    for (uint64_t i = 0; i < 20; ++i) {
      ASSERT_FALSE(std::isnan(vaert_sample_gamma_log(1, 2, 3, i, a))) << a;
      ASSERT_GE(vaert_sample_poisson(1, 2, 3, i, a), 0) << a;
      ASSERT_LE(std::abs(vaert_sample_von_mises(1, 2, 3, i, 1, a)), pi) << a;
    }
    for (const float b : all) {
      const float share = vaert_sample_beta(1, 2, 3, 4, a, b);
      ASSERT_TRUE(share > 0 && share < 1) << a << ", " << b;
      if (b > 1 || std::isinf(a)) continue;
      for (const float prob : {b, 1 - b}) {
        const float successes = vaert_sample_binomial(1, 2, 3, 4, a, prob);
        ASSERT_TRUE(successes >= 0 && successes <= a) << a << ", " << prob;
      }
    }
  }
}

TEST(Samplers, von_mises_has_its_mean_direction) {
  for (const float concentration : {0.0F, 1e-4F, 0.5F, 4.0F, 300.0F, 1e12F}) {
    double cosines = 0, sines = 0;
    for (uint64_t i = 0; i < draws; ++i) {
      const double angle = vaert_sample_von_mises(5, 6, 7, i, 2.5F, concentration);
      ASSERT_GT(angle, -pi);
      ASSERT_LE(angle, pi);
      cosines += std::cos(angle - 2.5);
      sines += std::sin(angle - 2.5);
    }
    EXPECT_NEAR(cosines / draws, vaert_i1_over_i0(concentration), 5 * std::sqrt(0.5 / draws))
        << concentration;
    EXPECT_NEAR(sines / draws, 0, 5 * std::sqrt(0.5 / draws)) << concentration;
  }
}

TEST(Samplers, draw_anew_for_each_element_step_site_and_seed) {
  const float first = vaert_sample_gamma_log(1, 2, 3, 4, 1.5F);
  EXPECT_EQ(vaert_sample_gamma_log(1, 2, 3, 4, 1.5F), first);
  EXPECT_NE(vaert_sample_gamma_log(2, 2, 3, 4, 1.5F), first);
  EXPECT_NE(vaert_sample_gamma_log(1, 3, 3, 4, 1.5F), first);
  EXPECT_NE(vaert_sample_gamma_log(1, 2, 4, 4, 1.5F), first);
  EXPECT_NE(vaert_sample_gamma_log(1, 2, 3, 5, 1.5F), first);
}

/// Checks mean and variance of (draw - mean) / deviation.
void expect_standard(const std::function<double(uint64_t)>& draw, double mean, double deviation) {
  expect_moments(moments_of([&](uint64_t i) { return 1 + (draw(i) - mean) / deviation; }), 1, 1,
                 std::to_string(mean));
}

TEST(Samplers, counts_too_large_for_rejection_have_their_moments) {
  expect_standard([](uint64_t i) { return vaert_sample_poisson(4, 0, 9, i, 0x1p41F); }, 0x1p41,
                  0x1p20 * std::sqrt(2));
  expect_standard([](uint64_t i) { return vaert_sample_binomial(4, 0, 9, i, 0x1p43F, 0.5F); }, 0x1p42,
                  0x1p20 * std::sqrt(2));
}

TEST(Samplers, hold_at_the_limits_of_their_parameters) {
  for (uint64_t i = 0; i < 1000; ++i) {
    for (const float shape : {0.0F, 1e-40F, 1e-30F, 3e38F, INFINITY})
      ASSERT_TRUE(std::isfinite(vaert_sample_gamma_log(1, 2, 3, i, shape))) << shape;
    for (const auto& [a, b] :
         {std::pair{0.0F, 0.0F}, {1e-30F, 1.0F}, {1.0F, 1e-30F}, {1e30F, 1.0F}, {1.0F, 1e30F}}) {
      const float x = vaert_sample_beta(1, 2, 3, i, a, b);
      ASSERT_TRUE(x > 0 && x < 1) << x << " of " << a << ", " << b;
    }
    ASSERT_TRUE(std::isfinite(vaert_sample_poisson(1, 2, 3, i, 1e38F)));
    ASSERT_EQ(vaert_sample_poisson(1, 2, 3, i, INFINITY), INFINITY);
    ASSERT_NEAR(vaert_sample_von_mises(1, 2, 3, i, 2.5F, INFINITY), 2.5, 1e-6);
  }
}

TEST(Samplers, give_nan_outside_their_range) {
  EXPECT_TRUE(std::isnan(vaert_sample_gamma_log(0, 0, 0, 0, -1)));
  EXPECT_TRUE(std::isnan(vaert_sample_beta(0, 0, 0, 0, -1, 1)));
  EXPECT_TRUE(std::isnan(vaert_sample_poisson(0, 0, 0, 0, NAN)));
  EXPECT_TRUE(std::isnan(vaert_sample_binomial(0, 0, 0, 0, 3, 1.5F)));
  EXPECT_TRUE(std::isnan(vaert_sample_von_mises(0, 0, 0, 0, 0, -1)));
}

TEST(SpecialFunctions, are_derivatives_of_log_gamma) {
  constexpr double h = 1e-4;
  for (const double x : {0.05, 0.5, 1.0, 1.4616, 3.0, 12.5, 400.0, -0.5, -3.7}) {
    const auto f = [](double at) { return std::lgamma(at); };
    const double first = (f(x + h) - f(x - h)) / (2 * h);
    const double second = (f(x + h) - 2 * f(x) + f(x - h)) / (h * h);
    const auto argument = static_cast<float>(x);
    EXPECT_NEAR(vaert_lgamma(argument), f(argument), 1e-6 * std::max(1.0, std::abs(f(x)))) << x;
    EXPECT_NEAR(vaert_digamma(argument), first, 2e-5 * std::max(1.0, std::abs(first))) << x;
    EXPECT_NEAR(vaert_trigamma(argument), second, 1e-4 * std::max(1.0, std::abs(second))) << x;
  }
}

TEST(SpecialFunctions, are_bessel_functions_by_their_integral) {
  for (const double x : {0.0, 1e-3, 0.7, 5.0, 19.0, 21.0, 90.0, -4.0}) {
    // I_n(x) exp(-|x|) is the mean over t in (0, pi) of exp(x cos t - |x|) cos(n t). The midpoint rule is
    // exact for it.
    double i0 = 0, i1 = 0;
    constexpr int points = 4000;
    for (int k = 0; k < points; ++k) {
      const double t = pi * (k + 0.5) / points;
      const double weight = std::exp(x * std::cos(t) - std::abs(x));
      i0 += weight / points;
      i1 += weight * std::cos(t) / points;
    }
    const double log_i0 = std::log(i0) + std::abs(x);
    EXPECT_NEAR(vaert_log_i0(static_cast<float>(x)), log_i0, 2e-6 * std::max(1.0, log_i0)) << x;
    EXPECT_NEAR(vaert_i1_over_i0(static_cast<float>(x)), i1 / i0, 1e-6) << x;
  }
}

}  // namespace
