// links: vaec_pipeline vaert_core vaert_data vaert_onednn
// Compares compiled kernels in float with long double, on grids of parameters and values. Log-densities,
// gradients and divergences are as exact as the formulas of torch.distributions in float. Where these cancel,
// the kernels stay exact.
#include <gtest/gtest.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <set>

#include "tests/numeric/families/family_grids.h"

INSPECTS_IMAGES();

namespace {

using family_grids::Grid;
using family_grids::lengthened;
using family_grids::LongRow;
using family_kernels::Family;
using family_kernels::gradients;
using family_kernels::log_densities;
using family_kernels::Row;

const float ulp = std::numeric_limits<float>::epsilon();

/// The derivative by a fourth-order difference, in long double.
long double slope(const Grid& grid, const Row& row, size_t parameter) {
  const long double h = 1e-3L;
  const auto at = [&](long double shift) {
    LongRow moved = lengthened(row);
    moved[parameter] += shift;
    return grid.exact(moved);
  };
  return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
}

/// The error of torch's formula in float. It is the largest error among rows with the same parameters,
/// because a single error may be small by chance.
std::vector<double> bars(const Grid& grid, size_t values) {
  std::map<Row, double> largest;
  const auto parameters = [&](const Row& row) {
    return Row(row.begin() + static_cast<long>(values), row.end());
  };
  for (const Row& row : grid.rows) {
    double& error = largest[parameters(row)];
    const auto seen = static_cast<double>(grid.in_float(row) - grid.exact(lengthened(row)));
    error = std::max(error, std::isnan(seen) ? INFINITY : std::abs(seen));
  }
  std::vector<double> result;
  for (const Row& row : grid.rows) result.push_back(largest[parameters(row)]);
  return result;
}

class Accuracy : public testing::TestWithParam<Grid> {};

TEST_P(Accuracy, of_log_densities_is_that_of_torch_in_float) {
  const Grid& grid = GetParam();
  const auto seen = log_densities(grid.family, grid.rows);
  const auto bar = bars(grid, grid.family.extent);
  for (size_t r = 0; r < grid.rows.size(); ++r) {
    const auto exact = static_cast<double>(grid.exact(lengthened(grid.rows[r])));
    EXPECT_LE(std::abs(seen[r] - exact), 2 * bar[r] + 16 * ulp * (1 + std::abs(exact)))
        << fmt::format("at {}: {} for {}", fmt::join(grid.rows[r], ", "), seen[r], exact);
  }
}

/// An estimate of how much the slope in element `parameter` changes if the parameters from `first` on are
/// rounded, plus 1 and the slope itself.
double rounding_of_slope(const Grid& grid, const Row& row, size_t parameter, size_t first) {
  double sum = 1 + std::abs(static_cast<double>(slope(grid, row, parameter)));
  for (size_t p = first; p < row.size(); ++p) {
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
  const size_t extent = grid.family.extent;
  const auto seen = gradients(grid.family, grid.rows);
  for (size_t p = extent; p < grid.rows[0].size(); ++p)
    for (size_t r = 0; r < grid.rows.size(); ++r) {
      const Row& row = grid.rows[r];
      EXPECT_NEAR(seen[p - extent][r], static_cast<double>(slope(grid, row, p)),
                  32 * ulp * rounding_of_slope(grid, row, p, extent) + ulp * grid.largest(row))
          << fmt::format("of parameter {} at {}", p - extent, fmt::join(row, ", "));
    }
}

std::string name_of(const testing::TestParamInfo<Grid>& tested) {
  return fmt::format("{}_{}", tested.param.family.name, tested.index);
}

INSTANTIATE_TEST_SUITE_P(Of, Accuracy, testing::ValuesIn(family_grids::grids()), name_of);

class Divergence : public testing::TestWithParam<Grid> {};

TEST_P(Divergence, is_that_of_torch_in_float) {
  const Grid& grid = GetParam();
  const auto seen = family_kernels::divergences(grid.family, grid.rows).value;
  ASSERT_EQ(seen.size(), grid.rows.size());
  for (size_t r = 0; r < grid.rows.size(); ++r) {
    const Row& row = grid.rows[r];
    const auto exact = static_cast<double>(grid.exact(lengthened(row)));
    const double of_torch = std::abs(static_cast<double>(grid.in_float(row)) - exact);
    const double bar = std::isnan(of_torch) ? INFINITY : 4 * of_torch + ulp * grid.largest(row);
    EXPECT_LE(std::abs(seen[r] - exact), bar + 16 * ulp * (1 + std::abs(exact)))
        << fmt::format("at {}: {} for {}", fmt::join(row, ", "), seen[r], exact);
  }
}

INSTANTIATE_TEST_SUITE_P(Of, Divergence, testing::ValuesIn(family_grids::divergence_grids()), name_of);

// Near a million, the formulas of torch.distributions lose up to one nat; the declared formulas do not.
TEST(LogDensity, of_counts_and_shapes_near_a_million_is_exact) {
  const std::set<std::string> declared = {"Poisson", "Gamma", "Beta", "NegativeBinomial", "Binomial"};
  for (const Grid& grid : family_grids::grids()) {
    if (!declared.contains(grid.family.name)) continue;
    const auto seen = log_densities(grid.family, grid.rows);
    for (size_t r = 0; r < grid.rows.size(); ++r) {
      const auto exact = static_cast<double>(grid.exact(lengthened(grid.rows[r])));
      EXPECT_NEAR(seen[r], exact, 4e-3 + 1e-4 * std::abs(exact))
          << grid.family.name << fmt::format(" at {}", fmt::join(grid.rows[r], ", "));
    }
  }
}

// The gradient is (x - mean) / variance and (x - mean)^2 / variance - 1, however far the mean is from 0.
TEST(Gradient, of_normals_has_the_differences_alone) {
  const std::vector<Row> rows = family_grids::normal_rows([](double x) { return x; }, 1e30);
  const std::string declared = R"(
family Shaped(log_precision : real, centre : real) over y : real {
  statistic     = (-0.5 * y ** 2, y)
  natural       = (exp(log_precision), exp(log_precision) * centre)
  log_partition = 0.5 * square(centre) * exp(log_precision) - 0.5 * log_precision + 0.5 * log(2 * pi)
  sample        = centre + exp(-0.5 * log_precision) * normal()
})";
  std::vector<Row> shaped;
  for (const Row& row : rows) shaped.push_back({row[0], -2 * row[2], row[1]});
  const Family family = {"Shaped", "real", "", declared};
  const auto standard = gradients({"Normal", "real"}, rows), own = gradients(family, shaped);
  const auto density = log_densities(family, shaped);
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

TEST(NormalDivergence, is_closed_without_cancellation) {
  std::vector<Row> rows = {{4, -9, 0, 0}};
  for (const float m : {0.0F, 4.0F, 300.0F, 10000.0F})
    for (const float s : {-16.0F, -3.0F, 0.0F, 2.0F})
      for (const float apart : {0.0F, 0.125F, -3.0F})
        for (const float other : {-2.0F, 0.0F, 1.5F}) rows.push_back({m + apart, s, m, other});
  const auto seen = family_kernels::divergences({"Normal", "real"}, rows, "reparam");
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
