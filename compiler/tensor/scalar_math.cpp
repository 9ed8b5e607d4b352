#include "compiler/tensor/scalar_math.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>

namespace tensor {
namespace {

// psi(x) = psi(x + 1) - 1 / x up to x >= 10, then the asymptotic series (Abramowitz & Stegun 6.3.18).
double digamma(double x) {
  if (x <= 0) {
    if (x == std::floor(x)) return NAN;
    return digamma(1 - x) - std::numbers::pi / std::tan(std::numbers::pi * x);
  }
  double result = 0;
  for (; x < 10; x += 1) result -= 1 / x;
  const double r = 1 / (x * x);
  return result + std::log(x) - 0.5 / x -
         r * (1.0 / 12 - r * (1.0 / 120 - r * (1.0 / 252 - r * (1.0 / 240 - r / 132))));
}

// Abramowitz & Stegun 6.4.12, after the recurrence psi'(x) = psi'(x + 1) + 1 / x^2.
double trigamma(double x) {
  if (x <= 0) {
    if (x == std::floor(x)) return NAN;
    const double s = std::sin(std::numbers::pi * x);
    return std::numbers::pi * std::numbers::pi / (s * s) - trigamma(1 - x);
  }
  double result = 0;
  for (; x < 10; x += 1) result += 1 / (x * x);
  const double r = 1 / (x * x);
  return result + 1 / x + r / 2 +
         r / x * (1.0 / 6 - r * (1.0 / 30 - r * (1.0 / 42 - r * (1.0 / 30 - r * 5 / 66))));
}

// exp(-|x|) I_order(x) as the mean of exp(|x| (cos t - 1)) cos(order t): the trapezoidal rule converges
// exponentially on a full period (Abramowitz & Stegun 9.6.19).
double scaled_bessel(int order, double x) {
  const double size = std::abs(x);
  const int points = 64 + static_cast<int>(16 * std::sqrt(size));
  double sum = 0;
  for (int i = 0; i < points; ++i) {
    const double t = 2 * std::numbers::pi * i / points;
    sum += std::exp(size * (std::cos(t) - 1)) * std::cos(order * t);
  }
  return sum / points * (order == 1 && x < 0 ? -1 : 1);
}

}  // namespace

double evaluate(semantics::Op op, double a, double b, double c) {
  using semantics::Op;
  auto truth = [](bool holds) { return holds ? 1.0 : 0.0; };
  switch (op) {
    case Op::negate:
      return -a;
    case Op::exp:
      return std::exp(a);
    case Op::log:
      return std::log(a);
    case Op::log1p:
      return std::log1p(a);
    case Op::sqrt:
      return std::sqrt(a);
    case Op::abs:
      return std::abs(a);
    case Op::relu:
      return std::max(a, 0.0);
    case Op::tanh:
      return std::tanh(a);
    case Op::sigmoid:
      return a >= 0 ? 1 / (1 + std::exp(-a)) : std::exp(a) / (1 + std::exp(a));
    case Op::softplus:
      return std::max(a, 0.0) + std::log1p(std::exp(-std::abs(a)));
    case Op::erf:
      return std::erf(a);
    case Op::sin:
      return std::sin(a);
    case Op::cos:
      return std::cos(a);
    case Op::floor:
      return std::floor(a);
    case Op::lgamma:
      return std::lgamma(a);
    case Op::digamma:
      return digamma(a);
    case Op::trigamma:
      return trigamma(a);
    case Op::log_i0:
      return std::abs(a) + std::log(scaled_bessel(0, a));
    case Op::i1_over_i0:
      return scaled_bessel(1, a) / scaled_bessel(0, a);
    case Op::logical_not:
      return truth(a == 0);
    case Op::add:
      return a + b;
    case Op::subtract:
      return a - b;
    case Op::multiply:
      return a * b;
    case Op::divide:
      return a / b;
    case Op::modulo:
      return a - b * std::floor(a / b);
    case Op::power:
      return std::pow(a, b);
    case Op::minimum:
      return std::min(a, b);
    case Op::maximum:
      return std::max(a, b);
    case Op::atan2:
      return std::atan2(a, b);
    case Op::less:
      return truth(a < b);
    case Op::less_equal:
      return truth(a <= b);
    case Op::greater:
      return truth(a > b);
    case Op::greater_equal:
      return truth(a >= b);
    case Op::equal:
      return truth(a == b);
    case Op::not_equal:
      return truth(a != b);
    case Op::logical_and:
      return truth(a != 0 && b != 0);
    case Op::logical_or:
      return truth(a != 0 || b != 0);
    case Op::where:
      return a != 0 ? b : c;
    case Op::stop:
      return a;
    default:
      throw std::logic_error("not a pointwise operation");
  }
}

}  // namespace tensor
