// The log-densities of the standard library's families as torch.distributions writes them, in any floating
// type: in long double the reference, in float the bar for compiled kernels. Parameters are those of the
// library.
#pragma once
#include <algorithm>
#include <cmath>
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

/// Normal.log_prob.
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

/// Of three components.
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

}  // namespace family_formulas
