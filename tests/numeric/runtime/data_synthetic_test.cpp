// Compares the synthetic data sets with the formulas of their papers, which are written out here a second
// time.
// links: vaert_data
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <numbers>

#include "runtime/data/sets/mixing.h"
#include "runtime/data/sets/synthetic.h"
#include "runtime/shared/failure.h"

using namespace data;

namespace {

using std::cos;
using std::exp;
using std::floor;
using std::sin;
using std::sqrt;
using std::tanh;
constexpr double pi = std::numbers::pi;
constexpr int64_t n = 20000;

double cdf(double z) { return (1 + std::erf(z / sqrt(2.0))) / 2; }

struct Expected {
  std::function<std::pair<double, double>(double z, double y)> curve;
  double variance;
};

const std::map<std::string, Expected> sets = {
    {"figure8",
     {[](double z, double) {
        const double u = (0.6 + 1.8 * cdf(z)) * pi, d = sin(u) * sin(u) + 1;
        return std::pair(sqrt(2.0) / 2 * cos(u) / d, sqrt(2.0) * cos(u) * sin(u) / d);
      },
      .02}},
    {"circle", {[](double z, double) { return std::pair(cos(2 * pi * cdf(z)), sin(2 * pi * cdf(z))); }, .01}},
    {"absolute", {[](double z, double) { return std::pair(z, std::abs(z)); }, .01}},
    {"clusters",
     {[](double z, double) {
        const double u = 2 * pi / (1 + exp(-pi * z / 2));
        const double t = 2 * tanh(10 * u - 20 * floor(u / 2) - 10) + 4 * floor(u / 2) + 2;
        return std::pair(cos(t), sin(t));
      },
      .2}},
    {"spiral_dots",
     {[](double z, double) {
        const double u = 4 * pi / (1 + exp(-pi * z / 2));
        const double t = tanh(10 * u - 20 * floor(u / 2) - 10) + 2 * floor(u / 2) + 1;
        return std::pair(t * cos(t), t * sin(t));
      },
      .01}},
    {"semi_circles",
     {[](double z, double y) {
        const double u = y == 0 ? pi * sqrt(cdf(z)) : pi * std::pow(cdf(z), 3);
        return std::pair(cos(u), sin(u));
      },
      .01}},
};

TEST(SyntheticSets, LieOnTheirCurvesUpToGaussianNoiseOfTheirVariance) {
  for (const auto& [set, expected] : sets) {
    const Table table = draw_synthetic(set, n, 7);
    const Column &x = table.column("x"), &z = table.column("z");
    double sum = 0, squares = 0, fourth = 0, of_z = 0;
    for (int64_t i = 0; i < n; ++i) {
      const double y = set == "semi_circles" ? table.column("y").at(i) : 0;
      const auto [a, b] = expected.curve(z.at(i), y);
      for (const double residual : {x.at(2 * i) - a, x.at(2 * i + 1) - b}) {
        sum += residual;
        squares += residual * residual;
        fourth += std::pow(residual, 4);
      }
      of_z += z.at(i) * z.at(i);
    }
    const double variance = squares / (2 * n);
    EXPECT_NEAR(sum / (2 * n), 0, 4 * sqrt(expected.variance / (2 * n))) << set;
    EXPECT_NEAR(variance, expected.variance, 4 * expected.variance * sqrt(2.0 / (2 * n))) << set;
    EXPECT_NEAR(fourth / (2 * n) / (variance * variance), 3, .15) << set;
    EXPECT_NEAR(of_z / n, 1, .04) << set;
  }
}

TEST(SyntheticSets, HalfOfTheSemiCirclesAreOfEachClass) {
  const Table table = draw_synthetic("semi_circles", n, 1);
  double ones = 0;
  for (int64_t i = 0; i < n; ++i) ones += table.column("y").at(i);
  EXPECT_NEAR(ones / n, .5, .015);
}

TEST(SyntheticSets, RowsDoNotDependOnTheirNumberButOnTheSeed) {
  for (const auto& [set, expected] : sets) {
    const Table few = draw_synthetic(set, 10, 3), many = draw_synthetic(set, 100, 3),
                other = draw_synthetic(set, 10, 4);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(few.column("x").at(i), many.column("x").at(i)) << set;
    EXPECT_NE(few.column("x").at(0), other.column("x").at(0)) << set;
  }
  EXPECT_THROW(draw_synthetic("circle", 0, 0), Failure);
}

double distance(const Column& column, int64_t i, int64_t j) {
  const int64_t dim = column.row_elements();
  double sum = 0;
  for (int64_t k = 0; k < dim; ++k)
    sum += std::pow(double(column.at(i * dim + k)) - column.at(j * dim + k), 2);
  return sqrt(sum);
}

TEST(Moebius, KeepsCrossRatiosAndIsCentred) {
  for (const int64_t dim : {2, 3, 7}) {
    const Table table = draw_moebius(1000, dim, 5);
    const Column &x = table.column("x"), &s = table.column("s");
    ASSERT_EQ(x.row_shape, Shape{dim});
    // Every Moebius map keeps |a-b||c-d| / (|a-c||b-d|), and no other map does.
    for (int64_t i = 0; i + 3 < 400; i += 4) {
      const auto ratio = [&](const Column& of) {
        return distance(of, i, i + 1) * distance(of, i + 2, i + 3) /
               (distance(of, i, i + 2) * distance(of, i + 1, i + 3));
      };
      EXPECT_NEAR(ratio(x) / ratio(s), 1, 2e-4) << dim << " " << i;
    }
    double least = 1, most = -1, apart = 0;
    for (int64_t k = 0; k < dim; ++k) {
      double mean = 0;
      for (int64_t i = 0; i < 1000; ++i) {
        mean += x.at(i * dim + k) / 1000;
        least = std::min<double>(least, s.at(i * dim + k));
        most = std::max<double>(most, s.at(i * dim + k));
      }
      EXPECT_NEAR(mean, 0, 1e-5);
    }
    EXPECT_GE(least, -.5);
    EXPECT_LT(least, -.49);
    EXPECT_LE(most, .5);
    EXPECT_GT(most, .49);
    for (int64_t i = 0; i < 99; ++i) apart += std::abs(distance(x, i, i + 1) / distance(s, i, i + 1) - 1);
    EXPECT_GT(apart, .1);  // not an isometry
  }
}

TEST(MlpMixing, IsThreeOrthogonalLayersOfLeakySoftplus) {
  const auto leaky = [](double t) { return .2 * t + .8 * std::log(1 + exp(t)); };
  // In one dimension an orthogonal matrix is a sign. One of the eight choices of signs must give every row.
  const Table line = draw_mlp_mixing(100, 1, 2);
  int fitting = 0;
  for (int signs = 0; signs < 8; ++signs) {
    double worst = 0;
    for (int64_t i = 0; i < 100; ++i) {
      double t = line.column("s").at(i);
      for (int layer = 0; layer < 3; ++layer) t = (signs >> layer & 1 ? -1 : 1) * leaky(t);
      worst = std::max(worst, std::abs(t - line.column("x").at(i)));
    }
    fitting += worst < 1e-5;
  }
  EXPECT_EQ(fitting, 1);
  const Table plane = draw_mlp_mixing(n, 5, 2);
  double squares = 0;
  for (int64_t i = 0; i < 5 * n; ++i) squares += std::pow(plane.column("s").at(i), 2);
  EXPECT_NEAR(squares / (5 * n), 1, .02);
}

TEST(Mixing, IsTheSameForTheSameSeedAndRefusesSizesWithoutSense) {
  const Table few = draw_mlp_mixing(10, 3, 1), many = draw_mlp_mixing(20, 3, 1),
              other = draw_mlp_mixing(10, 3, 2);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(few.column("x").at(i), many.column("x").at(i));
  EXPECT_NE(few.column("x").at(0), other.column("x").at(0));
  EXPECT_EQ(*draw_moebius(50, 2, 1).column("x").reals, *draw_moebius(50, 2, 1).column("x").reals);
  EXPECT_THROW(draw_moebius(10, 0, 0), Failure);
  EXPECT_THROW(draw_moebius(-1, 2, 0), Failure);
  EXPECT_THROW(draw_mlp_mixing(200'000'000, 2, 0), Failure);
}

}  // namespace
