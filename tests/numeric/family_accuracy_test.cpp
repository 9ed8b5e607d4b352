// links: vaec_pipeline vaert_core vaert_data vaert_onednn
// Compiled kernels in float against long double, on grids of parameters and values: log-densities and
// gradients are as exact as the formulas of torch.distributions in float, and exact where those cancel.
#include <gtest/gtest.h>

#include <set>

#include <fmt/format.h>

#include "tests/numeric/family_formulas_f32.h"
#include "tests/numeric/family_kernels.h"

INSPECTS_IMAGES();

namespace {

namespace formulas = family_formulas;
using family_kernels::gradients;
using family_kernels::log_densities;
using family_kernels::Row;

struct Grid {
  std::string family, domain, fixed;
  std::vector<Row> rows;
  std::function<float(const Row&)> in_float;
  std::function<long double(const std::vector<long double>&)> exact;
  /// Of the terms whose difference the gradient is; torch.distributions differentiates the same terms.
  std::function<double(const Row&)> largest = [](const Row&) { return 0; };
};

void PrintTo(const Grid& grid, std::ostream* out) { *out << grid.family; }

std::vector<long double> lengthened(const Row& row) { return {row.begin(), row.end()}; }

/// The parameters' combinations, each with values of x about the mean.
std::vector<Row> combine(const std::vector<std::vector<float>>& parameters,
                         const std::function<std::vector<double>(const Row&)>& values) {
  std::vector<Row> combinations = {{}};
  for (const auto& choices : parameters) {
    std::vector<Row> longer;
    for (const Row& begun : combinations)
      for (const float choice : choices) {
        longer.push_back(begun);
        longer.back().push_back(choice);
      }
    combinations = longer;
  }
  std::vector<Row> rows;
  for (const Row& combination : combinations)
    for (const double x : values(combination)) {
      rows.push_back({static_cast<float>(x)});
      rows.back().insert(rows.back().end(), combination.begin(), combination.end());
    }
  return rows;
}

const std::vector<double> deviations = {-3, -1, -0.1, 0, 0.4, 2, 6};

std::vector<double> about(double mean, double std, double least, bool whole, double most = INFINITY) {
  std::vector<double> values;
  for (const double k : deviations) {
    const double x = std::clamp(mean + k * std, least, most);
    values.push_back(whole ? std::floor(x) : x);
  }
  return values;
}

const std::vector<std::vector<float>> locations_and_scales = {{0, 0.3F, -4, 300, 10000, 2015, -1e6F},
                                                              {-16, -9, -2.3F, 0, 1.5F, 8}};

std::vector<Row> normal_rows(const std::function<double(double)>& transformed, double furthest) {
  return combine(locations_and_scales, [=](const Row& p) {
    std::vector<double> values;
    for (const double x : about(p[0], std::exp(p[1]), -1e30, false))
      if (std::abs(x) < furthest) values.push_back(transformed(x));
    return values;
  });
}

#define FORMULA(expression)                                      \
  [](const Row& r) -> float {                                    \
    const auto f = [](const auto& v) { return expression; };     \
    return f(r);                                                 \
  },                                                             \
      [](const std::vector<long double>& r) -> long double {     \
        const auto f = [](const auto& v) { return expression; }; \
        return f(r);                                             \
      }

std::vector<float> logarithms(const std::vector<double>& values) {
  std::vector<float> result;
  for (const double value : values) result.push_back(static_cast<float>(std::log(value)));
  return result;
}

std::vector<Grid> grids() {
  const auto e = [](float x) { return std::exp(static_cast<double>(x)); };
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  const std::vector<float> rates = logarithms({1e-3, 0.4, 3, 12, 1000, 1e6});
  const std::vector<float> logits = {-12, -3, -0.2F, 0, 1.7F, 9};
  std::vector<Grid> all = {
      {"Normal", "real", "", normal_rows([](double x) { return x; }, 1e30),
       FORMULA(formulas::normal(v[0], v[1], v[2]))},
      {"LogNormal", "positive", "", normal_rows([](double x) { return std::exp(x); }, 80),
       FORMULA(formulas::log_normal(v[0], v[1], v[2]))},
      {"LogitNormal", "unit", "", normal_rows(sigmoid, 14),
       FORMULA(formulas::logit_normal(v[0], v[1], v[2]))},
      {"Poisson", "count", "",
       combine({rates}, [&](const Row& p) { return about(e(p[0]), std::exp(0.5 * p[0]), 0, true); }),
       FORMULA(formulas::poisson(v[0], v[1]))},
      {"Exponential", "positive", "",
       combine({rates}, [&](const Row& p) { return about(1 / e(p[0]), 1 / e(p[0]), 1e-3 / e(p[0]), false); }),
       FORMULA(formulas::exponential(v[0], v[1]))},
      {"Gamma", "positive", "",
       combine({rates, {-6, 0, 4}},
               [&](const Row& p) {
                 const double mean = e(p[0]) / e(p[1]);
                 return about(mean, mean / std::sqrt(e(p[0])), 1e-2 * mean, false);
               }),
       FORMULA(formulas::gamma(v[0], v[1], v[2]))},
      {"Beta", "unit", "",
       combine({rates, rates},
               [&](const Row& p) {
                 const double n = e(p[0]) + e(p[1]), mean = e(p[0]) / n;
                 return about(mean, std::sqrt(mean * (1 - mean) / (n + 1)), 1e-2 * mean, false,
                              1 - 1e-2 * (1 - mean) - 1e-6);
               }),
       FORMULA(formulas::beta(v[0], v[1], v[2])),
       [e](const Row& row) {
         const double n = e(row[1]) + e(row[2]);
         return n * (1 + std::abs(std::log(n)));
       }},
      {"Laplace", "real", ", location = 1000",
       combine({rates}, [&](const Row& p) { return about(1000, e(p[0]), -1e30, false); }),
       FORMULA(formulas::laplace(v[0], v[1], decltype(+v[0])(1000)))},
      {"Geometric", "count", "",
       combine({logits}, [&](const Row& p) { return about(1 / e(p[0]), 1 / e(p[0]), 0, true); }),
       FORMULA(formulas::geometric(v[0], v[1]))},
  };
  for (const double size : {1.0, 7.0, 1000.0, 1e6}) {
    all.push_back(
        {"NegativeBinomial", "count", fmt::format(", size = {}", size),
         combine({logits},
                 [&](const Row& p) {
                   const double mean = size / e(p[0]);
                   return about(mean, std::sqrt(mean / sigmoid(p[0])), 0, true);
                 }),
         [size](const Row& v) { return formulas::negative_binomial(v[0], v[1], static_cast<float>(size)); },
         [size](const auto& v) {
           return formulas::negative_binomial(v[0], v[1], static_cast<long double>(size));
         }});
    all.push_back(
        {"Binomial", "count", fmt::format(", size = {}", static_cast<int>(size)),
         combine({logits},
                 [&](const Row& p) {
                   const double q = sigmoid(p[0]);
                   return about(size * q, std::sqrt(size * q * (1 - q)), 0, true, size);
                 }),
         [size](const Row& v) { return formulas::binomial(v[0], v[1], static_cast<float>(size)); },
         [size](const auto& v) { return formulas::binomial(v[0], v[1], static_cast<long double>(size)); },
         [size](const Row&) { return size; }});
  }
  return all;
}

const float ulp = std::numeric_limits<float>::epsilon();

/// The derivative by the fourth-order difference, in long double.
long double slope(const Grid& grid, const Row& row, size_t parameter) {
  const long double h = 1e-3L;
  const auto at = [&](long double shift) {
    std::vector<long double> moved = lengthened(row);
    moved[parameter] += shift;
    return grid.exact(moved);
  };
  return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
}

/// The largest error of PyTorch's formula in float at the row and where x is the float below or above: at one
/// row its roundings may happen to cancel, by the rounding of the C library's logarithm.
double error_of_torch(const Grid& grid, const Row& row) {
  double largest = 0;
  for (const float towards : {row[0], -HUGE_VALF, HUGE_VALF}) {
    Row near = row;
    if (grid.domain != "count") near[0] = std::nextafter(row[0], towards);
    const double error = std::abs(grid.in_float(near) - static_cast<double>(grid.exact(lengthened(near))));
    if (std::isfinite(error)) largest = std::max(largest, error);
  }
  return largest;
}

class Accuracy : public testing::TestWithParam<Grid> {};

TEST_P(Accuracy, of_log_densities_is_that_of_torch_in_float) {
  const Grid& grid = GetParam();
  const auto seen = log_densities(grid.domain, "", grid.family, grid.fixed, grid.rows);
  for (size_t r = 0; r < grid.rows.size(); ++r) {
    const Row& row = grid.rows[r];
    const auto exact = static_cast<double>(grid.exact(lengthened(row)));
    EXPECT_LE(std::abs(seen[r] - exact), error_of_torch(grid, row) + 16 * ulp * (1 + std::abs(exact)))
        << fmt::format("at {}: {} for {}", fmt::join(row, ", "), seen[r], exact);
  }
}

/// What the gradient in `parameter` changes by where each parameter is rounded, and 1.
double rounding_of_slope(const Grid& grid, const Row& row, size_t parameter) {
  double sum = 1 + std::abs(static_cast<double>(slope(grid, row, parameter)));
  for (size_t p = 1; p < row.size(); ++p) {
    Row above = row, below = row;
    above[p] += 1e-2F;
    below[p] -= 1e-2F;
    const auto change = static_cast<double>(slope(grid, above, parameter) - slope(grid, below, parameter));
    sum += (1 + std::abs(row[p])) * std::abs(change) / 2e-2;
  }
  return sum;
}

TEST_P(Accuracy, of_gradients_is_a_few_units_of_their_terms) {
  const Grid& grid = GetParam();
  const auto seen = gradients(grid.domain, grid.family, grid.fixed, grid.rows);
  for (size_t p = 1; p < grid.rows[0].size(); ++p)
    for (size_t r = 0; r < grid.rows.size(); ++r) {
      const Row& row = grid.rows[r];
      EXPECT_NEAR(seen[p - 1][r], static_cast<double>(slope(grid, row, p)),
                  32 * ulp * rounding_of_slope(grid, row, p) + ulp * grid.largest(row))
          << fmt::format("of parameter {} at {}", p, fmt::join(row, ", "));
    }
}

INSTANTIATE_TEST_SUITE_P(Of, Accuracy, testing::ValuesIn(grids()),
                         [](const testing::TestParamInfo<Grid>& tested) {
                           return fmt::format("{}_{}", tested.param.family, tested.index);
                         });

// Where the formulas of torch.distributions lose up to one nat at a million, the declared arrangements do
// not.
TEST(LogDensity, of_counts_and_shapes_near_a_million_is_exact) {
  const std::set<std::string> declared = {"Poisson", "Gamma", "Beta", "NegativeBinomial", "Binomial"};
  for (const Grid& grid : grids()) {
    if (!declared.contains(grid.family)) continue;
    const auto seen = log_densities(grid.domain, "", grid.family, grid.fixed, grid.rows);
    for (size_t r = 0; r < grid.rows.size(); ++r) {
      const auto exact = static_cast<double>(grid.exact(lengthened(grid.rows[r])));
      EXPECT_NEAR(seen[r], exact, 4e-3 + 1e-4 * std::abs(exact))
          << grid.family << fmt::format(" at {}", fmt::join(grid.rows[r], ", "));
    }
  }
}

// (x - mean) / variance and (x - mean)^2 / variance - 1, however far the mean is from 0.
TEST(Gradient, of_normals_has_the_differences_alone) {
  const std::vector<Row> rows = normal_rows([](double x) { return x; }, 1e30);
  const std::string declared = R"(
family Shaped(log_precision : real, centre : real) over y : real {
  statistic     = (-0.5 * y ** 2, y)
  natural       = (exp(log_precision), exp(log_precision) * centre)
  log_partition = 0.5 * square(centre) * exp(log_precision) - 0.5 * log_precision + 0.5 * log(2 * pi)
  sample        = centre + exp(-0.5 * log_precision) * normal()
})";
  std::vector<Row> shaped;
  for (const Row& row : rows) shaped.push_back({row[0], -2 * row[2], row[1]});
  const auto standard = gradients("real", "Normal", "", rows),
             own = gradients("real", "Shaped", "", shaped, declared);
  const auto density = log_densities("real", declared, "Shaped", "", shaped);
  for (size_t r = 0; r < rows.size(); ++r) {
    const double away = (static_cast<double>(rows[r][0]) - rows[r][1]) * std::exp(-rows[r][2] * 1.0);
    const double in_mean = away * std::exp(-rows[r][2] * 1.0), in_log_std = away * away - 1;
    EXPECT_NEAR(standard[0][r], in_mean, 1e-6 * std::abs(in_mean));
    EXPECT_NEAR(standard[1][r], in_log_std, 2e-6 * (1 + away * away));
    EXPECT_NEAR(own[1][r], in_mean, 1e-6 * std::abs(in_mean));
    EXPECT_NEAR(own[0][r], -0.5 * in_log_std, 2e-6 * (1 + away * away));
    EXPECT_NEAR(density[r], -0.5 * away * away - rows[r][2] - 0.9189385332, 2e-6 * (20 + away * away));
  }
}

/// KL(q || p) of Normals by the rows of their parameters, and minus its gradient in q's, in an evidence
/// bound. The parameters beside them are 0, so nothing else depends on z.
struct Divergences {
  std::vector<double> value;
  std::vector<std::vector<double>> gradient;
};

Divergences divergences(const std::vector<Row>& rows) {
  const std::string text =
      fmt::format(R"(
var z : real
var x : binary
source data {{ x = npy("x.npy") }}
encoder q {{ z | x ~ {} }}
decoder p {{ z ~ {}; x | z ~ Bernoulli(parameter([]) * z) }}
learn elbo {{ steps = 1; estimator = reparam; analytic_kl = true }}
)",
                  "Normal(x + parameter([]), parameter([]))", "Normal(parameter([]), parameter([]))");
  Divergences result;
  compiled::with_image({"test.vae", text, {}}, [&](const core::Image& image) {
    const auto& phase = image.learns[0].alternating[0];
    for (const Row& row : rows) {
      const size_t each = row.size() / 2;
      std::vector<std::vector<float>> values = {Row(row.begin(), row.begin() + each),
                                                Row(row.begin() + each, row.end())};
      core::Machine machine;
      machine.heavy = backend_under_test();
      machine.threads = 1;
      for (size_t i = 0; i < 2; ++i) {
        std::vector<float> flat(static_cast<size_t>(image.players[i].elements));
        for (size_t k = 0; k < each; ++k)
          flat[static_cast<size_t>(image.players[i].parameters[k].offset)] = values[i][k];
        values[i] = flat;
        machine.parameters.push_back(values[i].data());
      }
      std::vector<float> coefficients(static_cast<size_t>(image.coefficients), 1);
      machine.coefficients = coefficients.data();
      const core::Executor executor(image, image.programs[static_cast<size_t>(phase.program)], machine, {1});
      core::Hooks hooks;
      hooks.gather = [](int, int, int64_t, float* to) { to[0] = 0; };
      hooks.update = [&](int player, const float* gradient) {
        if (player != 0) return;
        auto& own = result.gradient.emplace_back();
        for (size_t k = 0; k < each; ++k) own.push_back(gradient[image.players[0].parameters[k].offset]);
      };
      executor.run(1, 1, hooks);
      for (const auto& [name, output] : executor.outputs())
        if (name.starts_with("kl.")) result.value.push_back(output.data[0]);
    }
  });
  return result;
}

TEST(Divergence, of_normals_is_closed_without_cancellation) {
  std::vector<Row> rows = {{4, -9, 0, 0}};
  for (const float m : {0.0F, 4.0F, 300.0F, 10000.0F})
    for (const float s : {-16.0F, -3.0F, 0.0F, 2.0F})
      for (const float apart : {0.0F, 0.125F, -3.0F})
        for (const float other : {-2.0F, 0.0F, 1.5F}) rows.push_back({m + apart, s, m, other});
  const Divergences seen = divergences(rows);
  ASSERT_EQ(seen.value.size(), rows.size());
  EXPECT_NEAR(seen.value[0], 16.5, 16.5e-5);
  for (size_t r = 0; r < rows.size(); ++r) {
    const double mq = rows[r][0], sq = rows[r][1], mp = rows[r][2], sp = rows[r][3];
    const double ratio = std::exp(2 * (sq - sp)), precision = std::exp(-2 * sp);
    const double exact = sp - sq + 0.5 * (ratio - 1 + precision * (mq - mp) * (mq - mp));
    EXPECT_NEAR(seen.value[r], exact, 2e-6 * (1 + std::abs(sp - sq) + ratio + exact))
        << fmt::format("{}", fmt::join(rows[r], ", "));
    EXPECT_NEAR(seen.gradient[r][0], -precision * (mq - mp), 2e-6 * precision * std::abs(mq - mp));
    EXPECT_NEAR(seen.gradient[r][1], 1 - ratio, 2e-6 * (1 + ratio));
  }
}

}  // namespace
