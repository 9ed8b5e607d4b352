// links:
// The functions that GPUs use in place of the C library's agree with the C library.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "runtime/device/elementary.h"

namespace {

template <class Function, class Reference>
void expect_agreement(Function function, Reference reference, double low, double high, double tolerance) {
  std::mt19937_64 generator(1);
  std::uniform_real_distribution<double> spread(low, high);
  for (int i = 0; i < 20000; ++i) {
    const double x = spread(generator), expected = reference(x);
    ASSERT_NEAR(function(x), expected, tolerance * std::max(1.0, std::abs(expected))) << "at " << x;
  }
}

constexpr double tight = 2e-15;

TEST(DeviceFunctions, agree_with_the_c_library) {
  expect_agreement(device::log, [](double x) { return std::log(x); }, 0, 3, tight);
  expect_agreement(device::log, [](double x) { return std::log(x); }, 0, 1e300, tight);
  expect_agreement(device::exp, [](double x) { return std::exp(x); }, -30, 30, tight);
  expect_agreement(device::sin, [](double x) { return std::sin(x); }, -100, 100, tight);
  expect_agreement(device::cos, [](double x) { return std::cos(x); }, -100, 100, tight);
  expect_agreement(device::atan, [](double x) { return std::atan(x); }, -30, 30, tight);
  expect_agreement(device::acos, [](double x) { return std::acos(x); }, -1, 1, tight);
  expect_agreement(device::log1p, [](double x) { return std::log1p(x); }, -0.999, 5, tight);
  expect_agreement(device::log_gamma, [](double x) { return std::lgamma(x); }, 0, 40, 1e-14);
  expect_agreement([](double x) { return device::pow(x, -2.5); }, [](double x) { return std::pow(x, -2.5); },
                   0.1, 9, tight);
}

TEST(DeviceFunctions, agree_at_the_edges) {
  const double infinity = INFINITY;
  for (const double x :
       {0.0, -0.0, 1.0, -1.0, 1e-310, 5e-324, 1e308, infinity, -infinity, 700.0, -740.0, 2.0}) {
    const auto same = [&](double got, double expected, const char* what) {
      if (std::isnan(expected)) {
        EXPECT_TRUE(std::isnan(got)) << what << " of " << x;
      } else {
        EXPECT_TRUE(got == expected || std::abs(got - expected) <= 1e-13 * std::max(std::abs(expected), 0.1))
            << what << " of " << x << ": " << got << ", not " << expected;
      }
    };
    same(device::log(x), std::log(x), "log");
    same(device::exp(x), std::exp(x), "exp");
    same(device::atan(x), std::atan(x), "atan");
    if (std::abs(x) > 1e-300 || x == 0) same(device::log_gamma(x), std::lgamma(x), "log gamma");
    if (std::abs(x) < 10) same(device::log_gamma(x - 20.5), std::lgamma(x - 20.5), "log gamma");
    for (const double y : {0.0, 1.0, -1.0, 2.0, 3.0, -3.0, 0.5, infinity}) {
      if (!std::isinf(x) && !std::isinf(y)) same(device::pow(x, y), std::pow(x, y), "power");
      same(device::atan2(x, y), std::atan2(x, y), "atan2");
      same(device::atan2(y, x), std::atan2(y, x), "atan2");
    }
  }
}

}  // namespace
