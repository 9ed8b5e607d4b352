// links: tensor
// The gradient of every operation of expressions, by both engines: `derivative` on the expression graph and
// `differentiate` on the tensor program. Both give the same numbers, and those of finite differences where
// the operation is smooth. At ties and kinks they follow the convention that gradients.h states.
#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "compiler/semantics/graph/build.h"
#include "compiler/semantics/graph/evaluate_numeric.h"
#include "compiler/tensor/emit.h"
#include "compiler/tensor/interpret.h"
#include "tests/numeric/support/before_fuse.h"

namespace {

using semantics::Op;
using semantics::OpGroup;
using tensor::Numbers;
using Sizes = std::vector<int64_t>;

/// An operation applied to inputs of these shapes. `ints` are those of the graph, `axes` those of the
/// program, if they differ.
struct Applied {
  Op op;
  std::vector<Sizes> inputs;
  Sizes output;
  std::vector<int64_t> ints = {}, axes = {};
};

/// The gradients of sum(op(inputs)) by each input.
using Gradients = std::vector<Numbers>;

Gradients by_graph(const Applied& applied, const std::vector<Numbers>& values) {
  semantics::Graph graph;
  semantics::Build build{&graph, {}};
  std::vector<semantics::NodeId> leaves;
  for (size_t i = 0; i < applied.inputs.size(); ++i)
    leaves.push_back(build.leaf(Op::variable, static_cast<int32_t>(i), applied.inputs[i]));
  const semantics::NodeId y = graph.add({applied.op, leaves, applied.output, applied.ints});
  Gradients result;
  for (const semantics::NodeId leaf : leaves) {
    const semantics::NodeId gradient = semantics::derivative(build, y, leaf);
    semantics::NumericEvaluator evaluate(
        graph, [&](const semantics::Node& node) { return values[static_cast<size_t>(node.index)]; });
    result.push_back(evaluate(gradient));
  }
  return result;
}

tensor::Shape fixed(const Sizes& sizes) {
  tensor::Shape shape;
  for (const int64_t size : sizes) shape.push_back({size, -1});
  return shape;
}

/// The program of sum(op(inputs)), whose inputs are the parameters of player 0.
tensor::Program program_of(const Applied& applied) {
  tensor::Program program;
  tensor::Emit emit(program);
  std::vector<tensor::ValueId> inputs;
  int64_t offset = 0;
  for (const Sizes& shape : applied.inputs) {
    tensor::Value value;
    value.op = tensor::Op::parameter;
    value.index = static_cast<int32_t>(program.parameters.size());
    value.shape = fixed(shape);
    program.parameters.push_back({0, offset, shape});
    offset += (semantics::count(shape) + 15) / 16 * 16;
    inputs.push_back(program.add(value));
  }
  const tensor::ValueId y = emit.operation(static_cast<tensor::Op>(applied.op), inputs, fixed(applied.output),
                                           applied.axes.empty() ? applied.ints : applied.axes);
  std::vector<int64_t> axes;
  for (size_t i = 0; i < applied.output.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  const tensor::ValueId total = emit.reduce(tensor::Op::sum, y, axes);
  program.outputs = {{"y", y}};
  program.updates = {{0, {{total, emit.constant(1)}}, {}}};
  return program;
}

/// Runs a program with these inputs.
tensor::Results interpreted(const tensor::Program& program, const std::vector<Numbers>& values) {
  tensor::Inputs inputs;
  inputs.parameters.resize(1);
  inputs.parameters[0].resize(static_cast<size_t>(program.parameters.elements_of(0)));
  for (size_t i = 0; i < values.size(); ++i)
    std::ranges::copy(values[i], inputs.parameters[0].begin() + program.parameters[i].offset);
  return tensor::interpret(program, inputs);
}

Gradients by_program(const Applied& applied, const std::vector<Numbers>& values) {
  const tensor::Program program = programs::before_fuse(program_of(applied));
  const Numbers flat = interpreted(program, values).gradients.at(0);
  Gradients result;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto begin = flat.begin() + program.parameters[i].offset;
    result.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(values[i].size()));
  }
  return result;
}

/// The slope of a pointwise operation by one of its inputs, element by element. None at a kink, at a jump,
/// and where the operation has no value.
std::vector<std::optional<double>> slopes(const Applied& applied, std::vector<Numbers> values, size_t input) {
  constexpr double step = 1e-5;
  const tensor::Program program = program_of(applied);
  const Numbers here = interpreted(program, values).outputs.at("y");
  const auto moved = [&](double by) {
    std::vector<Numbers> around = values;
    for (double& number : around[input]) number += by;
    return interpreted(program, around).outputs.at("y");
  };
  const Numbers above = moved(step), below = moved(-step);
  std::vector<std::optional<double>> result;
  for (size_t i = 0; i < here.size(); ++i) {
    const double left = (here[i] - below[i]) / step, right = (above[i] - here[i]) / step;
    const bool same = std::abs(left - right) < 1e-2 * (1 + std::abs(left));  // false for NaN
    const bool smooth = same && std::abs(left) < 1e4;                        // else it jumps
    result.push_back(smooth ? std::optional((left + right) / 2) : std::nullopt);
  }
  return result;
}

Applied pointwise(Op op, const std::vector<Numbers>& values) {
  const Sizes shape = {static_cast<int64_t>(values[0].size())};
  return {op, std::vector<Sizes>(values.size(), shape), shape};
}

void expect_same(const Gradients& a, const Gradients& b) {
  for (size_t input = 0; input < a.size(); ++input) {
    ASSERT_EQ(a[input].size(), b[input].size());
    for (size_t i = 0; i < a[input].size(); ++i) {
      if (std::isnan(a[input][i]) && std::isnan(b[input][i])) continue;
      if (a[input][i] == b[input][i]) continue;  // also infinities
      EXPECT_NEAR(a[input][i], b[input][i], 1e-12 * (1 + std::abs(a[input][i])))
          << "input " << input << " element " << i;
    }
  }
}

/// Every combination of these numbers as inputs. They include zeros, ties and negative numbers.
std::vector<Numbers> grid(int inputs) {
  const Numbers numbers = {-2, -1.3, -0.6, 0, 0.4, 1, 2.3};
  std::vector<Numbers> result(static_cast<size_t>(inputs));
  const auto points = static_cast<size_t>(std::lround(std::pow(numbers.size(), inputs)));
  for (size_t point = 0; point < points; ++point)
    for (size_t input = 0, rest = point; input < result.size(); ++input, rest /= numbers.size())
      result[input].push_back(numbers[rest % numbers.size()]);
  return result;
}

class PointwiseGradient : public testing::TestWithParam<Op> {};

TEST_P(PointwiseGradient, IsTheSlopeByBothEngines) {
  const Op op = GetParam();
  if (op == Op::trigamma) return;  // its rule refuses: it stands only in derivatives
  const std::vector<Numbers> values = grid(semantics::info(op).inputs);
  const Applied applied = pointwise(op, values);
  const Gradients gradients = by_program(applied, values);
  expect_same(by_graph(applied, values), gradients);
  size_t compared = 0;
  for (size_t input = 0; input < values.size() && op != Op::stop; ++input) {
    const auto expected = slopes(applied, values, input);
    for (size_t i = 0; i < expected.size(); ++i) {
      // The derivative of a^b by b is taken as 0 where a^b exists for single numbers b only.
      if (!expected[i] || (op == Op::power && input == 1 && !(values[0][i] > 0))) continue;
      EXPECT_NEAR(gradients[input][i], *expected[i], 1e-6 * (1 + std::abs(*expected[i])))
          << "input " << input << " element " << i;
      ++compared;
    }
  }
  EXPECT_TRUE(compared > 0 || op == Op::stop);
}

std::vector<Op> pointwise_operations() {
  std::vector<Op> result;
#define OPERATION(name, inputs, group) \
  if (OpGroup::group == OpGroup::pointwise) result.push_back(Op::name);
#include "compiler/semantics/graph/operations.def"
#undef OPERATION
  return result;
}
INSTANTIATE_TEST_SUITE_P(Of, PointwiseGradient, testing::ValuesIn(pointwise_operations()),
                         [](const testing::TestParamInfo<Op>& tested) {
                           return std::string(semantics::info(tested.param).name);
                         });

/// A point where an operation has no derivative, and the gradients that the convention gives.
struct Kink {
  Op op;
  Numbers at, gradients;
};

TEST(GradientAtATie, IsThatOfTheConvention) {
  const std::vector<Kink> kinks = {{Op::abs, {0}, {0}},
                                   {Op::relu, {0}, {0}},
                                   {Op::minimum, {0.7, 0.7}, {0.5, 0.5}},
                                   {Op::maximum, {-2, -2}, {0.5, 0.5}},
                                   {Op::modulo, {3, 1.5}, {1, -2}},
                                   {Op::modulo, {-3, 1.5}, {1, 2}},
                                   {Op::floor, {2}, {0}},
                                   {Op::equal, {1, 1}, {0, 0}},
                                   {Op::less_equal, {1, 1}, {0, 0}},
                                   {Op::where, {0, 3, 3}, {0, 0, 1}},
                                   {Op::power, {0, 0}, {0, 0}},
                                   {Op::power, {0, 2}, {0, 0}},
                                   {Op::stop, {2}, {0}}};
  for (const Kink& kink : kinks) {
    SCOPED_TRACE(semantics::info(kink.op).name);
    std::vector<Numbers> values;
    Gradients expected;
    for (const double number : kink.at) values.push_back({number});
    for (const double gradient : kink.gradients) expected.push_back({gradient});
    EXPECT_EQ(by_graph(pointwise(kink.op, values), values), expected);
    EXPECT_EQ(by_program(pointwise(kink.op, values), values), expected);
  }
}

TEST(GradientAtATie, OfTheGreatestAndTheLeastIsSharedEqually) {
  const std::vector<Numbers> values = {{1, 3, 3, 2, 2, 2}};
  const Gradients greatest = {{0, 0.5, 0.5, 1 / 3.0, 1 / 3.0, 1 / 3.0}};
  const Applied max = {Op::max, {{2, 3}}, {2}, {1}};
  EXPECT_EQ(by_graph(max, values), greatest);
  EXPECT_EQ(by_program(max, values), greatest);
  const Gradients least = {{1, 0, 0, 1 / 3.0, 1 / 3.0, 1 / 3.0}};
  const Applied min = {Op::min, {{2, 3}}, {2}, {1}};
  EXPECT_EQ(by_graph(min, values), least);
  EXPECT_EQ(by_program(min, values), least);
}

/// How to apply an operation that moves or joins elements; none for the other groups.
std::optional<Applied> moving(Op op) {
  switch (op) {
    case Op::reshape:
      return Applied{op, {{2, 3}}, {3, 2}};
    case Op::transpose:
      return Applied{op, {{2, 3, 4}}, {4, 2, 3}, {2, 0, 1}};
    case Op::broadcast:
      return Applied{op, {{3, 1}}, {3, 4}, {}, {0, 1}};
    case Op::slice:
      return Applied{op, {{4, 5}}, {2, 3}, {1, 3, 2, 5}};
    case Op::concat:
      return Applied{op, {{2, 3}, {2, 1}, {2, 2}}, {2, 6}, {1}};
    case Op::sum:
    case Op::max:
    case Op::min:
      return Applied{op, {{2, 3, 4}}, {3}, {0, 2}};
    default:
      return {};
  }
}

TEST(Gradient, OfAnOperationThatMovesElementsIsTheSameByBothEngines) {
#define OPERATION(name, inputs, group) {Op::name, OpGroup::group},
  constexpr std::pair<Op, OpGroup> operations[] = {
#include "compiler/semantics/graph/operations.def"
  };
#undef OPERATION
  for (const auto& [op, group] : operations) {
    if (group != OpGroup::shape && group != OpGroup::reduce) continue;
    SCOPED_TRACE(semantics::info(op).name);
    const auto applied = moving(op);
    ASSERT_TRUE(applied) << "no case for it";
    std::vector<Numbers> values;
    for (const Sizes& shape : applied->inputs) {
      values.emplace_back();
      for (int64_t i = 0; i < semantics::count(shape); ++i)
        values.back().push_back(std::sin(static_cast<double>(3 * i + 1)));
    }
    expect_same(by_graph(*applied, values), by_program(*applied, values));
  }
}

}  // namespace
