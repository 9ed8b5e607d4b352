// links: tensor
// Compares the adjoint of every operation with finite differences of the forward program, in double
// precision, also in the fused kernel program. A new operation that is not element-wise needs a case here.
// (gradients_test.cpp compares with the expression graph, on all points that matter.)
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "compiler/tensor/emit.h"
#include "compiler/tensor/interpret.h"
#include "tests/numeric/support/before_fuse.h"

namespace {
using tensor::Op;
using tensor::Program;
using tensor::Shape;
using tensor::ValueId;

Shape fixed(std::vector<int64_t> sizes) {
  Shape shape;
  for (int64_t n : sizes) shape.push_back({n, -1});
  return shape;
}

struct Case {
  std::vector<std::vector<int64_t>> inputs;  // shapes of the inputs
  std::vector<int64_t> output;
  std::vector<int64_t> ints = {};
  double low = -2, high = 2;  // range of the inputs' elements
};

/// How to test an operation; nothing if no gradient passes through it, or if programs do not contain it.
std::optional<Case> case_of(Op op) {
  const std::vector<int64_t> n = {6};
  const auto& [name, arity, group] = tensor::info(op);
  if (group == semantics::OpGroup::leaf || group == semantics::OpGroup::random) return {};
  if (op == Op::trigamma) return {};  // occurs only in derivatives
  if (group == semantics::OpGroup::pointwise)
    return Case{std::vector(static_cast<size_t>(arity), n), n, {}, 0.3, 3};
  switch (op) {
    case Op::matmul:
    case Op::deconv:  // replaced by other operations during translation
      return {};
    case Op::reshape:
      return Case{{{2, 3}}, {3, 2}};
    case Op::transpose:
      return Case{{{2, 3, 4}}, {4, 2, 3}, {2, 0, 1}};
    case Op::broadcast:
      return Case{{{3, 1}}, {2, 3, 4}, {1, 2}};
    case Op::slice:
      return Case{{{4, 5}}, {2, 3}, {1, 3, 2, 5}};
    case Op::concat:
      return Case{{{2, 3}, {2, 1}, {2, 2}}, {2, 6}, {1}};
    case Op::sum:
    case Op::max:
    case Op::min:
      return Case{{{2, 3, 4}}, {3}, {0, 2}};
    case Op::sum_ranks:
      return Case{{n}, n, {0}};
    case Op::dense:
      return Case{{{3, 4}, {5, 4}}, {3, 5}};
    case Op::dense_data:
      return Case{{{3, 5}, {5, 4}}, {3, 4}};
    case Op::dense_weights:
      return Case{{{3, 5}, {3, 4}}, {5, 4}};
    case Op::conv:
      return Case{{{2, 5, 6, 3}, {4, 3, 3, 2}}, {2, 3, 3, 4}, {2, 2, 1, 0}};
    case Op::conv_data:
      return Case{{{2, 3, 3, 4}, {4, 3, 3, 2}}, {2, 5, 6, 3}, {2, 2, 1, 0}};
    case Op::conv_weights:
      return Case{{{2, 5, 6, 3}, {2, 3, 3, 4}}, {4, 3, 3, 2}, {2, 2, 1, 0}};
    default:
      ADD_FAILURE() << "no case for " << name;
      return {};
  }
}

/// The sum of the operation's result times fixed weights, as a term of player 0, whose parameters are the
/// inputs.
Program program_of(Op op, const Case& c) {
  Program program;
  program.name = tensor::info(op).name;
  tensor::Emit emit(program);
  std::vector<ValueId> inputs;
  int64_t offset = 0;
  for (const auto& shape : c.inputs) {
    tensor::Value value;
    value.op = Op::parameter;
    value.index = static_cast<int32_t>(program.parameters.size());
    value.shape = fixed(shape);
    program.parameters.push_back({0, offset, shape});
    offset += (tensor::row_elements(value.shape) + 15) / 16 * 16;
    inputs.push_back(program.add(value));
  }
  const ValueId y = emit.operation(op, inputs, fixed(c.output), c.ints);
  tensor::Value weights;
  weights.op = Op::input;
  weights.name = "weights";
  weights.shape = fixed(c.output);
  ValueId total = emit.multiply(y, program.add(weights));
  std::vector<int64_t> axes;
  for (size_t i = 0; i < c.output.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  total = emit.reduce(Op::sum, total, axes);
  program.outputs = {{"total", total}};
  program.updates = {{0, {{total, emit.constant(1)}}, {}}};
  return program;
}

class Adjoint : public testing::TestWithParam<Op> {};

TEST_P(Adjoint, IsTheDerivativeByFiniteDifferences) {
  const auto c = case_of(GetParam());
  if (!c) return;
  const Program forward = program_of(GetParam(), *c);
  ASSERT_EQ(tensor::verify(forward), std::nullopt);
  std::mt19937 generator(5);
  std::uniform_real_distribution<double> uniform(c->low, c->high);
  tensor::Inputs inputs;
  inputs.parameters.resize(1);
  inputs.parameters[0].resize(static_cast<size_t>(forward.parameters.elements_of(0)));
  for (double& number : inputs.parameters[0]) number = uniform(generator);
  tensor::Numbers& weights = inputs.values["weights"];
  weights.resize(static_cast<size_t>(tensor::row_elements(fixed(c->output))));
  for (double& number : weights) number = uniform(generator);

  const tensor::Numbers gradient = tensor::interpret(programs::before_fuse(forward), inputs).gradients.at(0);
  const tensor::Results scheduled = tensor::interpret(tensor::make_kernel_program(forward), inputs);
  EXPECT_NEAR(scheduled.outputs.at("total")[0], tensor::interpret(forward, inputs).outputs.at("total")[0],
              1e-9);
  for (size_t p = 0; p < c->inputs.size(); ++p) {
    const tensor::ParameterPlace& place = forward.parameters[p];
    for (int64_t i = 0; i < tensor::row_elements(fixed(place.shape)); ++i) {
      const auto at = static_cast<size_t>(place.offset + i);
      double& number = inputs.parameters[0][at];
      const double kept = number, step = 1e-5;
      auto total = [&](double moved) {
        number = moved;
        return tensor::interpret(forward, inputs).outputs.at("total")[0];
      };
      // `stop` is the only operation whose gradient is 0 although a derivative exists.
      const double slope =
          GetParam() == Op::stop ? 0 : (total(kept + step) - total(kept - step)) / (2 * step);
      number = kept;
      EXPECT_NEAR(gradient[at], slope, 2e-6 * (1 + std::abs(slope))) << "input " << p << " element " << i;
      EXPECT_NEAR(scheduled.gradients.at(0)[at], gradient[at], 1e-9 * (1 + std::abs(slope)));
    }
  }
}

const Op all_operations[] = {
#define OPERATION(name, inputs, group) Op::name,
#include "compiler/semantics/graph/operations.def"
#include "compiler/tensor/operations.def"
#undef OPERATION
};
INSTANTIATE_TEST_SUITE_P(Of, Adjoint, testing::ValuesIn(all_operations),
                         [](const testing::TestParamInfo<Op>& tested) {
                           return std::string(tensor::info(tested.param).name);
                         });

}  // namespace
