// KL divergences within each family of the standard library, as torch.distributions.kl writes them, for any
// floating type. In long double they are the reference, in float the largest error allowed. q's parameters
// come first.
#pragma once
#include "tests/numeric/families/family_formulas_f32.h"

namespace family_formulas {

template <class T>
T digamma(T x) {
  T result = 0;
  for (; x < 20; x += 1) result -= 1 / x;
  const T s = 1 / (x * x);
  const T series =
      s * (T(1) / 12 - s * (T(1) / 120 - s * (T(1) / 252 - s * (T(1) / 240 - s * (T(5) / 660)))));
  return result + std::log(x) - T(0.5) / x - series;
}

template <class T>
T kl_bernoulli(T q, T p) {
  const T prob = sigmoid(q);
  return prob * (softplus(-p) - softplus(-q)) + (1 - prob) * (softplus(p) - softplus(q));
}

/// In long double the ratio of the probabilities of failure is computed from the logits.
template <class T>
T kl_binomial(T q, T p, T size) {
  const T prob = sigmoid(q);
  if constexpr (sizeof(T) > sizeof(float)) return size * kl_bernoulli(q, p);
  return size * (prob * (q - p) + std::log1p(-prob) - std::log1p(-sigmoid(p)));
}

template <class T>
T kl_categorical(const Values<T>& q, const Values<T>& p) {
  const T of_q = logsumexp(q), of_p = logsumexp(p);
  T sum = 0;
  for (size_t k = 0; k < q.size(); ++k) {
    const T log_prob = q[k] - of_q;
    if (std::exp(log_prob) > 0) sum += std::exp(log_prob) * (log_prob - (p[k] - of_p));
  }
  return sum;
}

template <class T>
T kl_normal(T mean, T log_std, T other_mean, T other_log_std) {
  const T ratio = std::pow(std::exp(log_std) / std::exp(other_log_std), T(2));
  const T away = std::pow((mean - other_mean) / std::exp(other_log_std), T(2));
  return T(0.5) * (ratio + away - 1 - std::log(ratio));
}

template <class T>
T kl_poisson(T q, T p) {
  const T rate = std::exp(q), other = std::exp(p);
  return rate * (std::log(rate) - std::log(other)) - (rate - other);
}

template <class T>
T kl_exponential(T q, T p) {
  const T ratio = std::exp(p) / std::exp(q);
  return -std::log(ratio) + ratio - 1;
}

template <class T>
T kl_gamma(T log_shape, T log_rate, T other_log_shape, T other_log_rate) {
  const T shape = std::exp(log_shape), rate = std::exp(log_rate);
  const T other = std::exp(other_log_shape), other_rate = std::exp(other_log_rate);
  return other * std::log(rate / other_rate) + (std::lgamma(other) - std::lgamma(shape)) +
         (shape - other) * digamma(shape) + (other_rate - rate) * (shape / rate);
}

template <class T>
T kl_dirichlet(const Values<T>& q, const Values<T>& p) {
  T sum = 0, other_sum = 0, result = 0;
  for (size_t k = 0; k < q.size(); ++k) {
    sum += std::exp(q[k]);
    other_sum += std::exp(p[k]);
  }
  for (size_t k = 0; k < q.size(); ++k) {
    const T alpha = std::exp(q[k]), other = std::exp(p[k]);
    result += (alpha - other) * (digamma(alpha) - digamma(sum)) - (std::lgamma(alpha) - std::lgamma(other));
  }
  return std::lgamma(sum) - std::lgamma(other_sum) + result;
}

template <class T>
T kl_laplace(T q, T p) {
  const T ratio = std::exp(q) / std::exp(p);
  return -std::log(ratio) + ratio - 1;
}

/// -entropy - log1p(-p) / q - logit of p, computed from the probabilities.
inline float kl_geometric(float q, float p) {
  const float prob = sigmoid(q);
  const float entropy = (std::max(q, 0.0F) - q * prob + std::log1p(std::exp(-std::abs(q)))) / prob;
  return -entropy - std::log1p(-sigmoid(p)) / prob - p;
}

/// E failures times the log ratio of the failure probabilities, plus the log ratio of the success
/// probabilities.
inline long double exact_kl_geometric(long double q, long double p) {
  return std::exp(-q) * (softplus(p) - softplus(q)) + softplus(-p) - softplus(-q);
}

inline long double exact_kl_negative_binomial(long double q, long double p, long double size) {
  return size * exact_kl_geometric(q, p);
}

/// The mean of ContinuousBernoulli; near 0 by a series.
inline long double continuous_bernoulli_mean(long double logit) {
  if (std::abs(logit) < 1e-3L) return 0.5L + logit / 12 - std::pow(logit, 3) / 720;
  return -1 / std::expm1(-logit) - 1 / logit;
}

inline long double exact_kl_continuous_bernoulli(long double q, long double p) {
  return continuous_bernoulli_mean(q) * (q - p) - continuous_bernoulli_partition(q) +
         continuous_bernoulli_partition(p);
}

/// As ContinuousBernoulli.mean in torch: by a Taylor series in (0.499, 0.501).
inline float kl_continuous_bernoulli(float q, float p) {
  const float prob = clamped_sigmoid(q), other = clamped_sigmoid(p), x = prob - 0.5F;
  const bool unstable = prob > 0.499F && prob < 0.501F;
  const float cut = unstable ? 0.499F : prob;
  const float mean = unstable ? 0.5F + (1.0F / 3 + 16.0F / 45 * x * x) * x
                              : cut / (2 * cut - 1) + 1 / (std::log1p(-cut) - std::log(cut));
  return mean * (q - p) + (continuous_bernoulli_norm(prob) + std::log1p(-prob)) -
         continuous_bernoulli_norm(other) - std::log1p(-other);
}

/// I1(x) / I0(x): by Abramowitz and Stegun 9.6.10 below 40, by 9.7.1 above.
inline long double i1_over_i0(long double x) {
  if (x < 40) {
    long double term = 1, zero = 1, one_term = x / 2, one = x / 2;
    for (int k = 1; term > 1e-21L * zero || one_term > 1e-21L * one; ++k) {
      zero += term *= x * x / (4.0L * k * k);
      one += one_term *= x * x / (4.0L * k * (k + 1));
    }
    return one / zero;
  }
  long double term = 1, zero = 1, one_term = 1, one = 1;
  for (int k = 1; k <= 16; ++k) {
    const long double odd = 2 * k - 1;
    zero += term *= odd * odd / (8.0L * k * x);
    one += one_term *= (odd * odd - 4) / (8.0L * k * x);
  }
  return one / zero;
}

/// torch has no formula for it.
inline long double exact_kl_von_mises(long double a, long double b, long double other_a,
                                      long double other_b) {
  const long double k = std::hypot(a, b), other = std::hypot(other_a, other_b);
  const long double along = k > 0 ? (other_a * a + other_b * b) / k : 0;
  // The concentrations are taken out of the logarithms: -k and `other`.
  const long double away = -k * (1 - i1_over_i0(k)) + (other - i1_over_i0(k) * along);
  return away - log_i0_scaled(k) + log_i0_scaled(other);
}

}  // namespace family_formulas
