// The functions of abi.h that kernels call for single elements, in double inside.
#include <cmath>
#include <limits>
#include <numbers>

#include "runtime/abi.h"

namespace core {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

bool is_pole(double x) { return x <= 0 && x == std::floor(x); }

/// Uses the recurrence up to 10, then the asymptotic series (Abramowitz and Stegun 6.3.18).
double digamma(double x) {
  if (is_pole(x)) return nan;
  if (x < 0) return digamma(1 - x) - std::numbers::pi / std::tan(std::numbers::pi * x);
  double result = 0;
  for (; x < 10; x += 1) result -= 1 / x;
  const double s = 1 / (x * x);
  const double series =
      s *
      (1.0 / 12 - s * (1.0 / 120 - s * (1.0 / 252 - s * (1.0 / 240 - s * (1.0 / 132 - s * 691.0 / 32760)))));
  return result + std::log(x) - 0.5 / x - series;
}

/// The same method as digamma, with series 6.4.12.
double trigamma(double x) {
  if (is_pole(x)) return std::numeric_limits<double>::infinity();
  if (x < 0) {
    const double sine = std::sin(std::numbers::pi * x);
    return std::numbers::pi * std::numbers::pi / (sine * sine) - trigamma(1 - x);
  }
  double result = 0;
  for (; x < 10; x += 1) result += 1 / (x * x);
  const double s = 1 / (x * x);
  const double series = s * (1.0 / 6 - s * (1.0 / 30 - s * (1.0 / 42 - s * (1.0 / 30 - s * 5.0 / 66))));
  return result + (1 + 0.5 / x + series) / x;
}

constexpr double bessel_switch = 20;  // power series below, asymptotic series (9.7.1) above

/// sum of (x^2/4)^k / (k! (k + order)!), times order!: 9.6.10 without its leading power.
double bessel_series(double x, int order) {
  const double square = x * x / 4;
  double term = 1, sum = 1;
  for (int k = 1; term > 1e-17 * sum; ++k) {
    term *= square / (static_cast<double>(k) * (k + order));
    sum += term;
  }
  return sum;
}

/// I_order(x) sqrt(2 pi x) exp(-x).
double bessel_tail(double x, int order) {
  const double mu = 4.0 * order * order;
  double term = 1, sum = 1;
  for (int k = 1; k <= 12; ++k) {
    const double odd = 2 * k - 1;
    term *= -(mu - odd * odd) / (8 * x * k);
    sum += term;
  }
  return sum;
}

double log_i0(double x) {
  x = std::abs(x);
  if (x < bessel_switch) return std::log(bessel_series(x, 0));
  return x - 0.5 * std::log(2 * std::numbers::pi * x) + std::log(bessel_tail(x, 0));
}

double i1_over_i0(double x) {
  const double size = std::abs(x);
  if (size < bessel_switch) return x / 2 * bessel_series(size, 1) / bessel_series(size, 0);
  return std::copysign(bessel_tail(size, 1) / bessel_tail(size, 0), x);
}

}  // namespace
}  // namespace core

extern "C" {

float vaert_lgamma(float x) {
  int sign = 0;
  return static_cast<float>(lgamma_r(x, &sign));
}
float vaert_digamma(float x) { return static_cast<float>(core::digamma(x)); }
float vaert_trigamma(float x) { return static_cast<float>(core::trigamma(x)); }
float vaert_log_i0(float x) { return static_cast<float>(core::log_i0(x)); }
float vaert_i1_over_i0(float x) { return static_cast<float>(core::i1_over_i0(x)); }
float vaert_power(float x, float exponent) { return std::pow(x, exponent); }
float vaert_atan2(float y, float x) { return std::atan2(y, x); }

}  // extern "C"
