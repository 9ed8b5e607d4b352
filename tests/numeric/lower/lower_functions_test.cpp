// links: lower vaert_core
// The vector code of each operation agrees with its value in runtime/schema/elementwise.def, in double, and
// that of each elementary function with libm up to a few units in the last place.
#include <gtest/gtest.h>

#include <cmath>

#include "compiler/semantics/graph/elementwise.h"
#include "tests/numeric/support/loop_runner.h"

// The functions that kernels call: named here, so that they are linked into the test.
#define CALLED_cheap(name)
#define CALLED_costly(name)
#define CALLED_call(name) reinterpret_cast<const void*>(&vaert_##name),
#define ELEMENTWISE(name, inputs, notation, cost, ...) CALLED_##cost(name)
extern const void* const called_by_kernels[];
const void* const called_by_kernels[] = {
#include "runtime/schema/elementwise.def"
    reinterpret_cast<const void*>(&vaert_power)};

namespace {
using loop_runner::Buffers;
using loop_runner::LoopBuilder;
using semantics::Op;

/// The kernel's results for inputs that have as many numbers each.
std::vector<float> values_at(Op op, Buffers inputs) {
  const auto size = static_cast<int64_t>(inputs[0].size());
  const auto result = static_cast<int>(inputs.size());
  LoopBuilder builder({{size}}, 1);
  std::vector<int> loads;
  for (int input = 0; input < result; ++input) loads.push_back(builder.load(input, {1}));
  loads.resize(3, -1);
  builder.store(builder.apply(op, loads[0], loads[1], loads[2]), result, {1});
  const lower::CompiledLoops compiled({builder.loop()});
  inputs.emplace_back(inputs[0].size());
  loop_runner::run(compiled, 0, inputs, 1);
  return inputs.back();
}
std::vector<float> values_of(Op op, const std::vector<float>& arguments) {
  return values_at(op, {arguments});
}

// Also with zeros, ties and numbers for which it has no value.
TEST(Operations, give_their_declared_value) {
  const std::vector<float> numbers = {-40, -2.5F, -1, -0.3F, 0, 0.7F, 1, 2, 17};
  for (const semantics::Elementwise& operation : semantics::elementwise_operations()) {
    const semantics::OpInfo& info = semantics::info(operation.op);
    SCOPED_TRACE(info.name);
    Buffers inputs(static_cast<size_t>(info.inputs));
    const auto points = static_cast<size_t>(std::lround(std::pow(numbers.size(), info.inputs)));
    for (size_t point = 0; point < points; ++point) {
      size_t rest = point;
      for (std::vector<float>& input : inputs) {
        input.push_back(numbers[rest % numbers.size()]);
        rest /= numbers.size();
      }
    }
    const std::vector<float> values = values_at(operation.op, inputs);
    for (size_t i = 0; i < values.size(); ++i) {
      const auto input = [&](size_t k) { return k < inputs.size() ? inputs[k][i] : 0; };
      const double exact = semantics::apply(operation.op, input(0), input(1), input(2));
      const auto rounded = static_cast<float>(exact);
      if (rounded == values[i] || (std::isnan(exact) && std::isnan(values[i]))) continue;
      EXPECT_NEAR(values[i], exact, 2e-6 * (1e-6 + std::abs(exact)))
          << input(0) << " " << input(1) << " " << input(2);
    }
  }
}

TEST(Hypot, does_not_overflow_or_underflow) {
  const auto expect_length = [](float a, float b) {
    const double exact = std::hypot(static_cast<double>(a), static_cast<double>(b));
    const float length = values_at(Op::hypot, {{a}, {b}})[0];
    EXPECT_NEAR(length / exact, 1, 3e-7) << a << " " << b;
  };
  for (const float size : {1e-37F, 1e-25F, 1e-18F, 8.6e-19F, 1.0F, 1.2e18F, 1e25F, 2e38F})
    for (const float ratio : {1.0F, -0.75F, 1e-3F, 0.0F}) {
      expect_length(size, size * ratio);
      expect_length(size * ratio, size);
    }
  EXPECT_EQ(values_at(Op::hypot, {{0, INFINITY, -3}, {0, -INFINITY, INFINITY}}),
            (std::vector<float>{0, INFINITY, INFINITY}));
  EXPECT_TRUE(std::isnan(values_at(Op::hypot, {{NAN}, {1}})[0]));
  EXPECT_TRUE(std::isnan(values_at(Op::hypot, {{1}, {NAN}})[0]));
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
