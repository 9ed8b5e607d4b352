#include "compiler/semantics/graph/special_functions.h"

#include <cmath>
#include <limits>
#include <numbers>

namespace semantics {

namespace {
constexpr double series_from = 10;
bool is_pole(double x) { return x <= 0 && std::floor(x) == x; }
}  // namespace

// Abramowitz & Stegun 6.3.5 (recurrence), 6.3.7 (reflection), 6.3.18 (asymptotic series).
double digamma(double x) {
  if (is_pole(x)) return std::numeric_limits<double>::quiet_NaN();
  if (x < 0) return digamma(1 - x) - std::numbers::pi / std::tan(std::numbers::pi * x);
  double result = 0;
  for (; x < series_from; ++x) result -= 1 / x;
  const double r = 1 / (x * x);
  return result + std::log(x) - 0.5 / x -
         r * (1.0 / 12 - r * (1.0 / 120 - r * (1.0 / 252 - r * (1.0 / 240 - r * (1.0 / 132)))));
}

// Abramowitz & Stegun 6.4.6, 6.4.7, 6.4.12.
double trigamma(double x) {
  if (is_pole(x)) return std::numeric_limits<double>::infinity();
  if (x < 0) {
    const double s = std::sin(std::numbers::pi * x);
    return std::numbers::pi * std::numbers::pi / (s * s) - trigamma(1 - x);
  }
  double result = 0;
  for (; x < series_from; ++x) result += 1 / (x * x);
  const double r = 1 / (x * x);
  return result + 1 / x + r / 2 +
         r / x * (1.0 / 6 - r * (1.0 / 30 - r * (1.0 / 42 - r * (1.0 / 30 - r * 5.0 / 66))));
}

double log_i0(double x) {
  x = std::abs(x);
  if (x < 500) return std::log(std::cyl_bessel_i(0.0, x));
  // Abramowitz & Stegun 9.7.1 with mu = 0.
  const double u = 1 / (8 * x);
  return x - 0.5 * std::log(2 * std::numbers::pi * x) + std::log1p(u * (1 + u * (4.5 + u * 37.5)));
}

double i1_over_i0(double x) {
  const double size = std::abs(x);
  if (size < 500) return std::copysign(std::cyl_bessel_i(1.0, size) / std::cyl_bessel_i(0.0, size), x);
  const double u = 1 / (8 * size);
  // Abramowitz & Stegun 9.7.1 with mu = 4 over mu = 0.
  return std::copysign((1 - u * (3 + u * (7.5 + u * 52.5))) / (1 + u * (1 + u * (4.5 + u * 37.5))), x);
}

}  // namespace semantics
