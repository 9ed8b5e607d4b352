// links: vaec_pipeline vaert_core vaert_data vaert_onednn
// The compiled samplers follow their distributions at extreme parameters too. Measured by the
// Kolmogorov-Smirnov distance between the draws and the exact distribution function, computed in double.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

#include "tests/numeric/support/drawn_values.h"

DRAWS_VALUES();

namespace {

using drawn_values::Case;

constexpr int64_t rows = 4000;
constexpr int elements = 5;

double normal_below(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

/// P(a, x) = x^a exp(-x) / Gamma(a + 1) * sum of x^n / ((a + 1) ... (a + n)): Abramowitz and Stegun 6.5.29.
double gamma_below(double a, double x) {
  double term = 1, sum = 1;
  for (int n = 1; term > 1e-17 * sum; ++n) sum += term *= x / (a + n);
  return std::exp(a * std::log(x) - x - std::lgamma(a + 1) + std::log(sum));
}

/// I_x(a, b) = x^a (1 - x)^b / (a B(a, b)) * sum of (a + b) ... (a + b + n - 1) / ((a + 1) ... (a + n)) x^n,
/// equation 26.5.4 of the same book, for x <= 1/2; for larger x by symmetry.
double beta_below(double a, double b, double x) {
  if (x > 0.5) return 1 - beta_below(b, a, 1 - x);
  double term = 1, sum = 1;
  for (int n = 1; std::abs(term) > 1e-17 * sum; ++n) sum += term *= (a + b + n - 1) / (a + n) * x;
  const double log_beta = std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b);
  return std::exp(a * std::log(x) + b * std::log1p(-x) - log_beta + std::log(sum)) / a;
}

/// The largest difference between the share of draws up to x and `below`(x), times the square root of the
/// number of draws. Draws at `least` stand for everything below it, and draws from `greatest` on for
/// everything above.
double distance(std::vector<double> draws, const std::function<double(double)>& below, double least,
                double greatest) {
  std::sort(draws.begin(), draws.end());
  const auto n = static_cast<double>(draws.size());
  double largest = 0;
  for (size_t i = 0; i < draws.size();) {
    const double x = draws[i];
    const double before = static_cast<double>(i) / n;
    while (i < draws.size() && draws[i] == x) ++i;
    if (x >= greatest) break;
    const double share = below(x);
    largest = std::max(largest, std::abs(static_cast<double>(i) / n - share));
    // In float32, smaller values differ from x only if x is above `least`.
    if (x > least) largest = std::max(largest, share - before);
  }
  return largest * std::sqrt(n);
}

struct Law {
  Case drawn;
  std::function<double(double)> below;
  double greatest = 0x1p124;
};

const char* const families = R"(
family ScaledGamma(log_shape : real, scale : positive) over x : positive {
  let shape     = exp(log_shape)
  statistic     = (log(x), x)
  natural       = (shape, -1 / scale)
  log_partition = lgamma(shape) + shape * log(scale)
  log_base      = -log(x)
  sample        = gamma(shape) * scale
}
family RatioBeta(log_a : real, log_b : real) over x : unit {
  let a         = exp(log_a)
  let b         = exp(log_b)
  let g         = gamma(a)
  statistic     = (log(x), log1p(-x))
  natural       = (a, b)
  log_partition = lgamma(a) + lgamma(b) - lgamma(a + b)
  log_base      = -log(x) - log1p(-x)
  sample        = g / (g + gamma(b))
}
)";

std::vector<Law> laws() {
  const double inside = 1 - 0x1p-24;
  const auto gamma = [](double a, double scale) {
    return [=](double x) { return gamma_below(a, x / scale); };
  };
  const auto beta = [](double a, double b) { return [=](double x) { return beta_below(a, b, x); }; };
  const auto at = [](double log) { return std::exp(log); };
  return {
      {{"positive[5]", "Gamma(-9, 0)"}, gamma(at(-9), 1)},
      {{"positive[5]", "Gamma(-7, 0)"}, gamma(at(-7), 1)},
      {{"positive[5]", "Gamma(-4, 0)"}, gamma(at(-4), 1)},
      {{"positive[5]", "Gamma(-4, -80)"}, gamma(at(-4), at(80))},
      {{"positive[5]", "Gamma(-2, 40)"}, gamma(at(-2), at(-40))},
      {{"positive[5]", "Gamma(0.5, 0)"}, gamma(at(0.5), 1)},
      {{"positive[5]", "ScaledGamma(-4, 1e30)"}, gamma(at(-4), 1e30)},
      {{"unit[5]", "Beta(9, 0)"}, [=](double x) { return std::pow(x, at(9)); }, inside},
      {{"unit[5]", "Beta(0, 9)"}, [=](double x) { return -std::expm1(at(9) * std::log1p(-x)); }, inside},
      {{"unit[5]", "Beta(-7, -7)"}, beta(at(-7), at(-7)), inside},
      {{"unit[5]", "Beta(-3, -1)"}, beta(at(-3), at(-1)), inside},
      {{"unit[5]", "RatioBeta(-7, -7)"}, beta(at(-7), at(-7)), inside},
      {{"unit[5]", "RatioBeta(-3, -1)"}, beta(at(-3), at(-1)), inside},
      // One of the K components has the law Beta(alpha, (K - 1) alpha).
      {{"simplex(2)[5]", "Dirichlet(-7)"}, beta(at(-7), at(-7)), inside},
      {{"simplex(4)[5]", "Dirichlet(-7)"}, beta(at(-7), 3 * at(-7)), inside},
      {{"simplex(4)[5]", "Dirichlet(-2.3)"}, beta(at(-2.3), 3 * at(-2.3)), inside},
      {{"positive[5]", "LogNormal(0, 4.5)"},
       [=](double x) { return normal_below(std::log(x) / at(4.5)); },
       0x1p124},
      {{"positive[5]", "LogNormal(0, 30)"},
       [=](double x) { return normal_below(std::log(x) / at(30)); },
       0x1p124},
      {{"unit[5]", "LogitNormal(0, 3)"},
       [=](double x) { return normal_below((std::log(x) - std::log1p(-x)) / at(3)); },
       inside},
      {{"positive[5]", "Exponential(-60)"}, [=](double x) { return -std::expm1(-at(-60) * x); }},
      {{"angle[5]", "VonMises(1e10, 0)"}, [](double x) { return normal_below(x * 1e5); }},
      {{"count[5]", "Poisson(20)"}, [=](double x) { return normal_below((x + 0.5 - at(20)) / at(10)); }},
  };
}

TEST(Draws, FollowTheirLawAtExtremeParameters) {
  std::vector<Case> cases;
  for (const Law& law : laws()) cases.push_back(law.drawn);
  const auto all = drawn_values::draw(families, cases, rows);
  ASSERT_EQ(all.size(), cases.size());
  for (size_t i = 0; i < all.size(); ++i) {
    const Law law = laws()[i];
    // The first component of a simplex. The values are [rows, K, elements].
    const int64_t classes = std::max<int64_t>(1, all[i].variable.classes);
    std::vector<double> draws;
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t k = 0; k < elements; ++k)
        draws.push_back(all[i].values[static_cast<size_t>(row * classes * elements + k)]);
    // One of a thousand correct samplers has a larger distance; the seed is fixed.
    EXPECT_LT(distance(draws, law.below, std::numeric_limits<float>::min(), law.greatest), 1.95)
        << cases[i].call;
  }
}

}  // namespace
