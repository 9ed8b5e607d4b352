// links: lower
// The vector code of each elementary function agrees with libm in double, up to a few units in the last
// place.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/numeric/support/loop_runner.h"

namespace {
using loop_runner::Buffers;
using loop_runner::LoopBuilder;
using semantics::Op;

std::vector<float> values_of(Op op, const std::vector<float>& arguments) {
  const auto size = static_cast<int64_t>(arguments.size());
  LoopBuilder builder({{size}}, 1);
  builder.store(builder.apply(op, builder.load(0, {1})), 1, {1});
  const lower::CompiledLoops compiled({builder.loop()});
  Buffers buffers = {arguments, std::vector<float>(arguments.size())};
  loop_runner::run(compiled, 0, buffers, 1);
  return buffers[1];
}

struct Range {
  Op op;
  double low, high;
  double relative;      // allowed error relative to the result
  double absolute = 0;  // allowed error in addition
};

class Accuracy : public testing::TestWithParam<Range> {};

TEST_P(Accuracy, is_within_bounds_on_a_dense_grid) {
  const Range range = GetParam();
  std::vector<float> arguments;
  constexpr int points = 200003;
  for (int i = 0; i < points; ++i) {
    arguments.push_back(static_cast<float>(range.low + (range.high - range.low) * i / (points - 1)));
  }
  for (double small = 1e-38; small < 1; small *= 1.37) {
    for (const double x : {small, -small}) {
      if (x >= range.low && x <= range.high) arguments.push_back(static_cast<float>(x));
    }
  }
  const auto values = values_of(range.op, arguments);
  double worst = 0;
  float worst_at = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double exact = semantics::apply(range.op, arguments[i], 0, 0);
    const double error = std::abs(values[i] - exact) - range.absolute;
    const double relative = error <= 0 ? 0 : error / std::max(std::abs(exact), 1e-37);
    if (!(relative <= worst)) {
      worst = relative;
      worst_at = arguments[i];
    }
  }
  EXPECT_LE(worst, range.relative) << semantics::info(range.op).name << " at " << worst_at;
}

INSTANTIATE_TEST_SUITE_P(functions, Accuracy,
                         testing::Values(Range{Op::exp, -87, 88.7, 1.5e-7}, Range{Op::exp, -1, 1, 1.5e-7},
                                         Range{Op::log, 1e-30, 10, 1.5e-7}, Range{Op::log, 0.5, 2, 1.5e-7},
                                         Range{Op::log, 1, 3e38, 1.5e-7}, Range{Op::log1p, -0.9999, 3, 2e-7},
                                         Range{Op::log1p, 0, 1e6, 2e-7}, Range{Op::tanh, -12, 12, 3e-7},
                                         Range{Op::tanh, -1, 1, 3e-7}, Range{Op::sigmoid, -87, 87, 3e-7},
                                         Range{Op::softplus, -80, 80, 3e-7}, Range{Op::softplus, -1, 1, 3e-7},
                                         Range{Op::erf, -5, 5, 3e-7}, Range{Op::erf, -1, 1, 3e-7},
                                         Range{Op::sin, -10, 10, 3e-7, 1e-7},
                                         Range{Op::cos, -10, 10, 3e-7, 1e-7}, Range{Op::sin, -1, 1, 3e-7},
                                         Range{Op::sin, -1e4, 1e4, 3e-7, 2e-6}));

TEST(Functions, behave_at_the_ends_of_the_range) {
  const float infinity = INFINITY;
  EXPECT_EQ(values_of(Op::exp, {-infinity, -200, 200, infinity, 0}),
            (std::vector<float>{0, 0, infinity, infinity, 1}));
  EXPECT_EQ(values_of(Op::log, {0, infinity, 1}), (std::vector<float>{-infinity, infinity, 0}));
  EXPECT_EQ(values_of(Op::tanh, {-infinity, -40, 40, infinity, 0}), (std::vector<float>{-1, -1, 1, 1, 0}));
  EXPECT_EQ(values_of(Op::sigmoid, {-infinity, infinity, 0}), (std::vector<float>{0, 1, 0.5}));
  EXPECT_EQ(values_of(Op::softplus, {-infinity, 1000, infinity}), (std::vector<float>{0, 1000, infinity}));
  EXPECT_EQ(values_of(Op::log1p, {-1, 0, infinity}), (std::vector<float>{-infinity, 0, infinity}));
  EXPECT_EQ(values_of(Op::erf, {-infinity, 0, infinity}), (std::vector<float>{-1, 0, 1}));
  EXPECT_TRUE(std::isnan(values_of(Op::log, {-1})[0]));
  for (const Op op : {Op::exp, Op::log, Op::log1p, Op::tanh, Op::sigmoid, Op::softplus, Op::erf, Op::relu}) {
    EXPECT_TRUE(std::isnan(values_of(op, {NAN})[0])) << semantics::info(op).name;
  }
}

TEST(Functions, give_results_below_the_normal_range) {
  const auto values = values_of(Op::exp, {-90, -100});
  EXPECT_NEAR(values[0] / std::exp(-90.0), 1, 1e-4);
  EXPECT_NEAR(values[1] / std::exp(-100.0), 1, 0.05);
  EXPECT_NEAR(values_of(Op::log, {1e-40F})[0], std::log(static_cast<double>(1e-40F)), 1e-5);
}

}  // namespace
