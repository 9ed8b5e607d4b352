// links: vaec_pipeline vaert_core vaert_data vaert_onednn
// For any parameters, every draw of a family lies strictly inside its domain, and its log-density is finite
// in float32. Covers the families of the library and families that a user declares.
#include <fmt/ranges.h>

#include <cmath>
#include <numbers>

#include "tests/numeric/support/drawn_values.h"

DRAWS_VALUES();

namespace {

using drawn_values::Case;
using drawn_values::Computed;
using drawn_values::Drawn;
using drawn_values::DrawnAt;

constexpr int64_t rows = 2000;

const char* const families = R"(
family ScaledGamma(log_shape : real, scale : positive) over x : positive {
  let shape     = exp(log_shape)
  statistic     = (log(x), x)
  natural       = (shape, -1 / scale)
  log_partition = lgamma(shape) + shape * log(scale)
  log_base      = -log(x)
  sample        = gamma(shape) * scale
}
family InverseGamma(log_shape : real, log_rate : real) over x : positive {
  let shape     = exp(log_shape)
  statistic     = (log(x), 1 / x)
  natural       = (-shape, -exp(log_rate))
  log_partition = lgamma(shape) - shape * log_rate
  log_base      = -log(x)
  sample        = exp(log_rate) / gamma(shape)
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
family Rayleigh(log_scale : real) over x : positive {
  statistic     = x * x
  natural       = -0.5 * exp(-2 * log_scale)
  log_partition = 2 * log_scale
  log_base      = log(x)
  sample        = exp(log_scale) * sqrt(-2 * log(uniform()))
}
family Shares(log_alpha : real[K]) over x : simplex(K) {
  let alpha     = exp(log_alpha)
  statistic     = log(x)
  natural       = alpha
  log_partition = sum(lgamma(alpha)) - lgamma(sum(alpha))
  log_base      = -sum(log(x))
  sample        = gamma(alpha)
}
family Turn() over x : angle {
  statistic     = x
  natural       = 0
  log_partition = log(2 * pi)
  sample        = 2 * pi * uniform()
}
family Sign(logit : real) over x : binary {
  statistic     = x
  natural       = logit
  log_partition = softplus(logit)
  sample        = where(uniform() < sigmoid(logit), 2, -3)
}
family Arrivals(log_rate : real) over x : count {
  statistic     = x
  natural       = log_rate
  log_partition = exp(log_rate)
  log_base      = -lgamma(x + 1)
  sample        = poisson(gamma(1e6) * exp(log_rate) / 1e6)
}
)";

const std::vector<Case>& cases() {
  static const std::vector<Case> table = {
      {"positive[5]", "Gamma(-9.21, 0)"},
      {"positive[5]", "Gamma(-6.9, 0)"},
      {"positive[5]", "Gamma(-6.9, -50)"},
      {"positive[5]", "Gamma(-2.3, 0)"},
      {"positive[5]", "Gamma(-2.3, 50)"},
      {"positive[5]", "Gamma(0, 80)"},
      {"positive[5]", "Gamma(0, -80)"},
      {"positive[5]", "Gamma(13.8, 0)"},
      {"positive[5]", "Gamma(13.8, -80)"},
      {"unit[5]", "Beta(-9.21, -9.21)"},
      {"unit[5]", "Beta(-6.9, -6.9)"},
      {"unit[5]", "Beta(9.21, 0)"},
      {"unit[5]", "Beta(0, 9.21)"},
      {"unit[5]", "Beta(13.8, -6.9)"},
      {"unit[5]", "Beta(13.8, 13.8)"},
      {"simplex(2)[3]", "Dirichlet(-6.9)"},
      {"simplex(30)[3]", "Dirichlet(-6.9)"},
      {"simplex(3)[3]", "Dirichlet(-4.6)"},
      {"simplex(3)", "Dirichlet(-2.3)"},
      {"simplex(20)", "Dirichlet(13.8)"},
      {"simplex(3)", "Dirichlet([-6.9, 0, 13.8])"},
      {"positive[5]", "LogNormal(0, 4.5)"},
      {"positive[5]", "LogNormal(0, 30)"},
      {"positive[5]", "LogNormal(200)"},
      {"positive[5]", "LogNormal(-200)"},
      {"unit[5]", "LogitNormal(0, 4.5)"},
      {"unit[5]", "LogitNormal(0, 30)"},
      {"unit[5]", "LogitNormal(30)"},
      {"unit[5]", "LogitNormal(-200)"},
      {"unit[5]", "Uniform()"},
      {"real[5]", "Normal(0, 42)"},
      {"real[5]", "Normal(0, 80)"},
      {"real[5]", "Normal(1e9, 5)"},
      {"real[5]", "Laplace(80)"},
      {"real[5]", "Laplace(-80)"},
      {"real[5]", "Laplace(80, location = -3)"},
      {"positive[5]", "Exponential(80)"},
      {"positive[5]", "Exponential(-80)"},
      {"positive[5]", "Exponential(-80)"},
      {"count[5]", "Poisson(-80)"},
      {"count[5]", "Poisson(20)"},
      {"count[5]", "Poisson(80)"},
      {"count[5]", "Geometric(90)"},
      {"count[5]", "Geometric(-90)"},
      {"count[5]", "NegativeBinomial(90, size = 3)"},
      {"count[5]", "NegativeBinomial(-80, size = 3)"},
      {"count[5]", "NegativeBinomial(0, size = 0.0001)"},
      {"count[5]", "Binomial(90, size = 9)"},
      {"count[5]", "Binomial(-90, size = 9)"},
      {"count[5]", "Binomial(0.5, size = 1_000_000_000)"},
      {"angle[5]", "VonMises(0, 0)"},
      {"angle[5]", "VonMises(-1e6, 0)"},
      {"angle[5]", "VonMises(-1e12, -1)"},
      {"angle[5]", "VonMises(1e18, 1e18)"},
      {"unit[5]", "ContinuousBernoulli(10000)"},
      {"unit[5]", "ContinuousBernoulli(-10000)"},
      {"unit[5]", "ContinuousBernoulli(80)"},
      {"unit[5]", "ContinuousBernoulli(-80)"},
      {"unit[5]", "ContinuousBernoulli(0)"},
      {"binary[5]", "Bernoulli(80)"},
      {"binary[5]", "Bernoulli(-10000)"},
      {"category(4)[5]", "Categorical(reshape([10000, 0, -10000, 3], [4, 1]))"},
      {"positive[5]", "ScaledGamma(-6.9, 1e-20)"},
      {"positive[5]", "ScaledGamma(-6.9, 1e20)"},
      {"positive[5]", "InverseGamma(-6.9, 0)"},
      {"positive[5]", "InverseGamma(0, -80)"},
      {"unit[5]", "RatioBeta(-6.9, -6.9)"},
      {"unit[5]", "RatioBeta(9.21, 0)"},
      {"positive[5]", "Rayleigh(80)"},
      {"positive[5]", "Rayleigh(-40)"},
      {"simplex(4)[3]", "Shares(-6.9)"},
      {"angle[5]", "Turn()"},
      {"binary[5]", "Sign(3)"},
  };
  return table;
}

bool is_inside(const core::Variable& variable, double x) {
  if (variable.domain == "binary" || variable.domain == "category") return x == 0 || x == 1;
  if (variable.domain == "count") return std::isfinite(x) && x >= 0 && x == std::floor(x);
  if (variable.domain == "real") return std::isfinite(x);
  if (variable.domain == "positive") return std::isfinite(x) && x > 0;
  if (variable.domain == "angle") return x > -std::numbers::pi && x <= std::numbers::pi;
  return x > 0 && x < 1;  // unit and simplex
}

/// What is wrong with the values [rows, ...]; empty if nothing is.
template <class Number>
std::string wrong(const core::Variable& variable, const std::vector<Number>& values, int64_t of_rows) {
  for (const Number x : values)
    if (!is_inside(variable, x)) return fmt::format("{} is not inside", x);
  if (variable.classes == 0) return "";
  const auto classes = static_cast<size_t>(variable.classes);
  const size_t row = values.size() / static_cast<size_t>(of_rows), positions = row / classes;
  for (size_t i = 0; i < values.size(); ++i) {
    if (i % row >= positions) continue;
    double sum = 0;
    for (size_t k = 0; k < classes; ++k) sum += values[i + k * positions];
    if (std::abs(sum - 1) > 1e-6 * std::sqrt(static_cast<double>(classes)))
      return fmt::format("the sum is {}", sum);
  }
  return "";
}

TEST(Draws, LieInsideTheirDomainWithAFiniteLogDensity) {
  const std::vector<Drawn> all = drawn_values::draw(families, cases(), rows);
  ASSERT_EQ(all.size(), cases().size());
  for (size_t i = 0; i < all.size(); ++i) {
    SCOPED_TRACE(testing::PrintToString(cases()[i]));
    EXPECT_EQ(wrong(all[i].variable, all[i].values, rows), "");
    EXPECT_EQ(wrong(all[i].variable, all[i].interpreted, drawn_values::interpreted_rows), "")
        << "interpreted";
    if (cases()[i].call == "Uniform()") {
      EXPECT_EQ(std::ranges::count(all[i].log_density, 0), rows);
    }
    EXPECT_TRUE(std::ranges::all_of(all[i].log_density, [](float x) { return std::isfinite(x); }))
        << *std::ranges::find_if(all[i].log_density, [](float x) { return !std::isfinite(x); });
  }
}

const std::vector<Computed>& computed() {
  static const std::vector<Computed> table = {
      {"binary", "Bernoulli", "", 1, ""},
      {"category(3)", "Categorical", "", 1, "[3]"},
      {"real", "Normal", "", 2, ""},
      {"positive", "LogNormal", "", 2, ""},
      {"unit", "LogitNormal", "", 2, ""},
      {"count", "Poisson", "", 1, ""},
      {"positive", "Exponential", "", 1, ""},
      {"positive", "Gamma", "", 2, ""},
      {"unit", "Beta", "", 2, ""},
      {"real", "Laplace", "", 1, ""},
      {"real", "Laplace", ", location = -3", 1, ""},
      {"count", "Geometric", "", 1, ""},
      {"count", "NegativeBinomial", ", size = 3", 1, ""},
      {"count", "NegativeBinomial", ", size = 0.0001", 1, ""},
      {"count", "NegativeBinomial", ", size = 1e6", 1, ""},
      {"count", "Binomial", ", size = 9", 1, ""},
      {"count", "Binomial", ", size = 1_000_000_000", 1, ""},
      {"angle", "VonMises", "", 2, ""},
      {"simplex(2)", "Dirichlet", "", 1, "[2]"},
      {"simplex(3)", "Dirichlet", "", 1, "[3]"},
      {"unit", "ContinuousBernoulli", "", 1, ""},
      {"simplex(3)", "Shares", "", 1, "[3]"},
      {"binary", "Sign", "", 1, ""},
      {"count", "Arrivals", "", 1, ""},
      {"positive", "InverseGamma", "", 2, ""},
      {"unit", "RatioBeta", "", 2, ""},
      {"positive", "Rayleigh", "", 1, ""},
  };
  return table;
}

// The density must be finite too, if the exponentials of the parameters and the squares of these fit in
// 32-bit floats.
TEST(Draws, LieInsideTheirDomainWhateverAPlayerComputes) {
  const std::vector<float> places = {-1e30F, -300, -40, -10, -1, 0, 1, 10, 40, 300, 1e30F};
  constexpr float moderate = 40;
  const std::vector<DrawnAt> all = drawn_values::draw_at(families, computed(), places, 5);
  ASSERT_EQ(all.size(), computed().size());
  for (size_t i = 0; i < all.size(); ++i) {
    SCOPED_TRACE(testing::PrintToString(computed()[i]));
    const DrawnAt& drawn = all[i];
    EXPECT_EQ(wrong(drawn.variable, drawn.values, static_cast<int64_t>(drawn.parameters.size())), "");
    for (size_t r = 0; r < drawn.parameters.size(); ++r) {
      const std::vector<float>& at = drawn.parameters[r];
      if (std::ranges::any_of(at, [](float t) { return std::abs(t) > moderate; })) continue;
      EXPECT_TRUE(std::isfinite(drawn.log_density[r]))
          << fmt::format("{} at {}", drawn.log_density[r], fmt::join(at, ", "));
    }
  }
}

}  // namespace
