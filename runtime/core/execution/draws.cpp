// The samplers of abi.h: rejection methods in double. Each element has its own stream of Philox blocks
// (runtime/image.md), so a draw depends only on (seed, step, site, element) and its parameters.
#include <cmath>
#include <limits>
#include <numbers>

#include "runtime/abi.h"
#include "runtime/core/execution/philox.h"

namespace core {
namespace {

constexpr double below_pi = 0x1.921fb4p+1;  // the greatest float32 below pi
constexpr float no_number = std::numeric_limits<float>::quiet_NaN();

class Stream {
 public:
  Stream(uint64_t seed, uint64_t step, uint32_t site, uint64_t element)
      : key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)},
        counter_{static_cast<uint32_t>(element), site | 0x20000000U, static_cast<uint32_t>(step),
                 static_cast<uint32_t>(step >> 32) << 16} {}

  /// A uniform number in (0, 1) with 53 bits, made from half a block.
  double uniform() {
    if (left_ == 0) {
      block_ = philox(counter_, key_);
      ++counter_[3];
      left_ = 2;
    }
    const size_t at = left_ == 2 ? 0 : 2;
    --left_;
    const uint64_t bits = block_[at] | uint64_t{block_[at + 1]} << 32;
    return (static_cast<double>(bits >> 12) + 0.5) * 0x1p-52;
  }

  double normal() {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  std::array<uint32_t, 2> key_;
  PhiloxBlock counter_, block_{};
  int left_ = 0;
};

constexpr double least_shape = 0x1p-126, greatest_shape = 0x1p127;

/// log of a Gamma(shape, 1) draw (Marsaglia and Tsang 2000). If the shape is below 1: a draw of shape + 1,
/// times U^(1/shape).
double log_gamma_draw(Stream& stream, double shape) {
  shape = std::fmin(greatest_shape, std::fmax(least_shape, shape));
  double log_boost = 0;
  if (shape < 1) {
    log_boost = std::log(stream.uniform()) / shape;
    shape += 1;
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = stream.normal();
    const double e = c * x;
    if (e <= -1) continue;
    // v = (1 + e)^3. This form avoids the cancellation in v - 1 and log v, which a large d would amplify.
    const double log_v = 3 * std::log1p(e), above_one = e * (3 + e * (3 + e));
    if (std::log(stream.uniform()) < 0.5 * x * x + d * (log_v - above_one)) {
      return std::log(d) + log_v + log_boost;
    }
  }
}

double log_factorial(double k) {
  int sign = 0;
  return lgamma_r(k + 1, &sign);
}

/// log(n!) - log((n - d)!) - d log(n). If n is large, the logarithms would cancel, so Stirling's series is
/// used.
double log_falling_share(double n, double d) {
  const double rest = n - d;
  if (n < 1e6 || rest < 1e3) return log_factorial(n) - log_factorial(rest) - d * std::log(n);
  return 1 / (12 * n) - 1 / (12 * rest) - (rest + 0.5) * std::log1p(-d / n) - d;
}

/// From here on, the logarithms of the rejection method cancel. A count is then normally distributed, to
/// within the precision of a float32.
constexpr double normal_from = 1e12;

/// If the rate is below 10: multiplies uniforms (Knuth). Else: transformed rejection (PTRS, Hoermann 1993).
double poisson_draw(Stream& stream, double rate) {
  if (rate < 10) {
    const double limit = std::exp(-rate);
    double product = stream.uniform();
    double k = 0;
    for (; product > limit; k += 1) product *= stream.uniform();
    return k;
  }
  if (rate > normal_from) return std::floor(rate + std::sqrt(rate) * stream.normal() + 0.5);
  const double log_rate = std::log(rate);
  const double b = 0.931 + 2.53 * std::sqrt(rate);
  const double a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
  const double v_r = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const double u = stream.uniform() - 0.5, v = stream.uniform();
    const double us = 0.5 - std::abs(u);
    const double k = std::floor((2 * a / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= v_r) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (std::log(v * inverse_alpha / (a / (us * us) + b)) <= k * log_rate - rate - log_factorial(k)) return k;
  }
}

/// For prob <= 1/2. If the mean is small: adds waiting times. Else: transformed rejection (BTRS, Hoermann
/// 1993).
double binomial_draw(Stream& stream, double n, double prob) {
  if (prob == 0 || n == 0) return 0;
  if (n * prob < 10) {
    // The number of failures before each success is geometric.
    const double log_failure = std::log1p(-prob);
    double tried = 0, successes = -1;
    while (tried <= n) {
      tried += std::floor(std::log(stream.uniform()) / log_failure) + 1;
      successes += 1;
    }
    return successes;
  }
  const double spread = std::sqrt(n * prob * (1 - prob));
  if (spread * spread > normal_from) {
    const double drawn = std::floor(n * prob + spread * stream.normal() + 0.5);
    return std::fmin(n, std::fmax(0, drawn));
  }
  const double b = 1.15 + 2.53 * spread;
  const double a = -0.0873 + 0.0248 * b + 0.01 * prob;
  const double c = n * prob + 0.5;
  const double v_r = 0.92 - 4.2 / b;
  const double alpha = (2.83 + 5.1 / b) * spread;
  const double mode = std::floor((n + 1) * prob);
  const double log_mode = log_factorial(mode), log_share = std::log(prob / (1 - prob)) + std::log(n - mode);
  for (;;) {
    const double u = stream.uniform() - 0.5;
    double v = stream.uniform();
    const double us = 0.5 - std::abs(u);
    const double k = std::floor((2 * a / us + b) * u + c);
    if (k < 0 || k > n) continue;
    if (us >= 0.07 && v <= v_r) return k;
    v = std::log(v * alpha / (a / (us * us) + b));
    const double d = k - mode;
    if (v <= log_mode - log_factorial(k) + log_falling_share(n - mode, d) + d * log_share) return k;
  }
}

/// The angle from the mean (Best and Fisher 1979).
double von_mises_draw(Stream& stream, double concentration) {
  if (concentration < 1e-6) return (2 * stream.uniform() - 1) * std::numbers::pi;
  // The limit for large concentrations
  if (concentration > 1e8) return stream.normal() / std::sqrt(concentration);
  const double tau = 1 + std::sqrt(1 + 4 * concentration * concentration);
  const double rho = (tau - std::sqrt(2 * tau)) / (2 * concentration);
  // (1 + rho^2) / (2 rho), without cancellation if the concentration is small or large.
  const double r = concentration < 1e-3 ? 1 / concentration : (1 + rho * rho) / (2 * rho);
  for (;;) {
    const double z = std::cos(std::numbers::pi * stream.uniform());
    const double f = (1 + r * z) / (r + z);
    const double c = concentration * (r - f);
    const double u = stream.uniform();
    if (c * (2 - c) <= u && std::log(c / u) + 1 < c) continue;
    const double angle = std::acos(std::fmin(1, std::fmax(-1, f)));
    return stream.uniform() < 0.5 ? -angle : angle;
  }
}

}  // namespace
}  // namespace core

extern "C" {

float vaert_sample_gamma_log(uint64_t seed, uint64_t step, uint32_t site, uint64_t element, float shape) {
  if (!(shape >= 0)) return core::no_number;
  core::Stream stream(seed, step, site, element);
  // Stays far from the end of the range, so that differences of two such logarithms are finite.
  return static_cast<float>(std::fmax(-0x1p120, core::log_gamma_draw(stream, shape)));
}

float vaert_sample_beta(uint64_t seed, uint64_t step, uint32_t site, uint64_t element, float a, float b) {
  if (!(a >= 0 && b >= 0)) return core::no_number;
  core::Stream stream(seed, step, site, element);
  const double log_x = core::log_gamma_draw(stream, a);
  const double log_y = core::log_gamma_draw(stream, b);
  const double share = 1 / (1 + std::exp(log_y - log_x));
  return static_cast<float>(std::fmin(1 - 0x1p-24, std::fmax(0x1p-126, share)));
}

float vaert_sample_poisson(uint64_t seed, uint64_t step, uint32_t site, uint64_t element, float rate) {
  if (!(rate >= 0)) return core::no_number;
  if (std::isinf(rate)) return rate;
  core::Stream stream(seed, step, site, element);
  return static_cast<float>(core::poisson_draw(stream, rate));
}

float vaert_sample_binomial(uint64_t seed, uint64_t step, uint32_t site, uint64_t element, float n,
                            float prob) {
  if (!(n >= 0 && prob >= 0 && prob <= 1) || std::isinf(n)) return core::no_number;
  core::Stream stream(seed, step, site, element);
  const double trials = std::floor(n);
  if (prob <= 0.5F) return static_cast<float>(core::binomial_draw(stream, trials, prob));
  return static_cast<float>(trials - core::binomial_draw(stream, trials, 1 - double{prob}));
}

float vaert_sample_von_mises(uint64_t seed, uint64_t step, uint32_t site, uint64_t element, float mean,
                             float concentration) {
  if (!(concentration >= 0) || !std::isfinite(mean)) return core::no_number;
  core::Stream stream(seed, step, site, element);
  const double angle = mean + core::von_mises_draw(stream, concentration);
  const double turned =
      angle - 2 * std::numbers::pi * std::ceil((angle - std::numbers::pi) / (2 * std::numbers::pi));
  return static_cast<float>(std::fmin(core::below_pi, std::fmax(-core::below_pi, turned)));
}

}  // extern "C"
