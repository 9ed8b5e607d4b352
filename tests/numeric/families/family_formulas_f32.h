// The log-densities of the standard library's families as torch.distributions writes them, for any floating
// type. In long double they are the reference, in float the largest error allowed for compiled kernels.
// Parameters are those of the library. If torch's formula is an approximation, the function `exact_...`
// beside it is the reference.
#pragma once
#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <numbers>
#include <vector>

namespace family_formulas {

template <class T>
using Values = std::vector<T>;

template <class T>
T half_log_two_pi() {
  return static_cast<T>(0.9189385332046727417803297364056176L);
}

template <class T>
T log_sigmoid(T x) {
  return std::min(x, T(0)) - std::log1p(std::exp(-std::abs(x)));
}

/// As Normal.log_prob in torch.
template <class T>
T normal(T value, T mean, T log_std) {
  const T std = std::exp(log_std), away = value - mean;
  return -(away * away) / (2 * (std * std)) - std::log(std) - half_log_two_pi<T>();
}

template <class T>
T log_normal(T x, T mean, T log_std) {
  return normal(std::log(x), mean, log_std) - std::log(x);
}

template <class T>
T logit_normal(T x, T mean, T log_std) {
  return normal(std::log(x) - std::log1p(-x), mean, log_std) - std::log(x) - std::log1p(-x);
}

template <class T>
T bernoulli(T x, T logit) {
  return x * logit - std::max(logit, T(0)) - std::log1p(std::exp(-std::abs(logit)));
}

template <class T>
T poisson(T x, T log_rate) {
  const T rate = std::exp(log_rate);
  return x * std::log(rate) - rate - std::lgamma(x + 1);
}

template <class T>
T exponential(T x, T log_rate) {
  const T rate = std::exp(log_rate);
  return std::log(rate) - rate * x;
}

template <class T>
T gamma(T x, T log_shape, T log_rate) {
  const T shape = std::exp(log_shape), rate = std::exp(log_rate);
  return shape * std::log(rate) + (shape - 1) * std::log(x) - rate * x - std::lgamma(shape);
}

template <class T>
T beta(T x, T log_a, T log_b) {
  const T a = std::exp(log_a), b = std::exp(log_b);
  return (a - 1) * std::log(x) + (b - 1) * std::log1p(-x) + std::lgamma(a + b) - std::lgamma(a) -
         std::lgamma(b);
}

template <class T>
T laplace(T x, T log_scale, T location) {
  const T scale = std::exp(log_scale);
  return -std::log(2 * scale) - std::abs(x - location) / scale;
}

template <class T>
T geometric(T x, T logit) {
  return x * log_sigmoid(-logit) + log_sigmoid(logit);
}

template <class T>
T negative_binomial(T x, T logit, T size) {
  return size * log_sigmoid(logit) + x * log_sigmoid(-logit) + std::lgamma(size + x) - std::lgamma(x + 1) -
         std::lgamma(size);
}

template <class T>
T binomial(T x, T logit, T size) {
  const T normalizer = size * std::max(logit, T(0)) + size * std::log1p(std::exp(-std::abs(logit)));
  return x * logit - normalizer + std::lgamma(size + 1) - std::lgamma(x + 1) - std::lgamma(size - x + 1);
}

/// With three components.
template <class T>
T dirichlet(const Values<T>& x, const Values<T>& log_alpha) {
  T result = 0, sum = 0;
  for (size_t k = 0; k < x.size(); ++k) {
    const T alpha = std::exp(log_alpha[k]);
    result += (alpha - 1) * std::log(x[k]) - std::lgamma(alpha);
    sum += alpha;
  }
  return result + std::lgamma(sum);
}

template <class T>
T softplus(T x) {
  return std::max(x, T(0)) + std::log1p(std::exp(-std::abs(x)));
}

template <class T>
T sigmoid(T x) {
  return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}

template <class T>
T logsumexp(const Values<T>& x) {
  T greatest = x[0], sum = 0;
  for (const T value : x) greatest = std::max(greatest, value);
  for (const T value : x) sum += std::exp(value - greatest);
  return greatest + std::log(sum);
}

/// The log-probability of the class whose element is 1.
template <class T>
T categorical(const Values<T>& x, const Values<T>& logits) {
  for (size_t k = 0; k < x.size(); ++k)
    if (x[k] == 1) return logits[k] - logsumexp(logits);
  return 0;
}

/// By Abramowitz and Stegun 9.8.1 and 9.8.2, as in torch.
inline float log_i0_of_torch(float x) {
  const auto polynomial = [](float y, std::initializer_list<float> coefficients) {
    float sum = 0;
    for (auto at = std::rbegin(coefficients); at != std::rend(coefficients); ++at) sum = *at + y * sum;
    return sum;
  };
  if (x < 3.75F)
    return std::log(polynomial((x / 3.75F) * (x / 3.75F), {1.0F, 3.5156229F, 3.0899424F, 1.2067492F,
                                                           0.2659732F, 0.360768e-1F, 0.45813e-2F}));
  return x - 0.5F * std::log(x) +
         std::log(
             polynomial(3.75F / x, {0.39894228F, 0.1328592e-1F, 0.225319e-2F, -0.157565e-2F, 0.916281e-2F,
                                    -0.2057706e-1F, 0.2635537e-1F, -0.1647633e-1F, 0.392377e-2F}));
}

/// log I0(x) - x: by Abramowitz and Stegun 9.6.10 below 40, by 9.7.1 above.
inline long double log_i0_scaled(long double x) {
  if (x < 40) {
    long double term = 1, sum = 1;
    for (int k = 1; term > 1e-21L * sum; ++k) sum += term *= x * x / (4.0L * k * k);
    return std::log(sum) - x;
  }
  long double term = 1, sum = 1;
  for (int k = 1; k <= 16; ++k) sum += term *= (2 * k - 1) * (2 * k - 1) / (8.0L * k * x);
  return std::log(sum) - 0.5L * std::log(2 * std::numbers::pi_v<long double> * x);
}

inline float von_mises(float x, float a, float b) {
  const float concentration = std::hypot(a, b);
  return concentration * std::cos(x - std::atan2(b, a)) - 1.8378770664F - log_i0_of_torch(concentration);
}

inline long double exact_von_mises(long double x, long double a, long double b) {
  const long double concentration = std::hypot(a, b), half = std::sin((x - std::atan2(b, a)) / 2);
  return -2 * concentration * half * half - log_i0_scaled(concentration) - 2 * half_log_two_pi<long double>();
}

/// As ContinuousBernoulli._cont_bern_log_norm in torch: by a Taylor series in (0.499, 0.501).
inline float continuous_bernoulli_norm(float prob) {
  const bool unstable = prob > 0.499F && prob < 0.501F;
  const float cut = unstable ? 0.499F : prob;
  const float log_norm =
      std::log(std::abs(std::log1p(-cut) - std::log(cut))) - std::log(std::abs(1 - 2 * cut));
  const float x = prob - 0.5F;
  return unstable ? std::log(2.0F) + (4.0F / 3 + 104.0F / 45 * x * x) * x * x : log_norm;
}

/// Probabilities are kept at least eps away from 0 and 1, as clamp_probs in torch does.
inline float clamped_sigmoid(float logit) {
  constexpr float eps = std::numeric_limits<float>::epsilon();
  return std::clamp(sigmoid(logit), eps, 1 - eps);
}

inline float continuous_bernoulli(float x, float logit) {
  return x * logit - softplus(logit) + continuous_bernoulli_norm(clamped_sigmoid(logit));
}

/// log((exp(logit) - 1) / logit).
inline long double continuous_bernoulli_partition(long double logit) {
  const long double size = std::abs(logit);
  if (size < 1e-3L) return logit / 2 + logit * logit / 24 - std::pow(logit, 4) / 2880;
  return std::max(logit, 0.0L) + std::log(-std::expm1(-size)) - std::log(size);
}

inline long double exact_continuous_bernoulli(long double x, long double logit) {
  return x * logit - continuous_bernoulli_partition(logit);
}

}  // namespace family_formulas
