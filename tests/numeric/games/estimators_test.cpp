// links: vaec_pipeline
// The gradient that each estimator passes through a draw, over all draws, against numbers worked out by hand
// from the estimators' definitions, for bits and for categories; also the relaxed values of gumbel.
#include <gtest/gtest.h>

#include "compiler/tensor/build/estimators.h"
#include "compiler/tensor/build/source_rows.h"
#include "tests/numeric/support/enumerated_bounds.h"

namespace enumerated_bounds {
namespace {

const char* const program = R"(
var b : binary[1]
var k : category(3)
var x : real
source data { x = npy("x.npy") }
decoder p {
  b ~ Bernoulli(0)
  k ~ Categorical(0)
  x | b, k ~ Normal(dense(concat(b, k), 1))
}
encoder q {
  b | x ~ Bernoulli(dense(x, 1))
  k | x ~ Categorical(dense(x, 3))
}
learn elbo { steps = 1 }
)";

using tensor::Emit;
using tensor::ValueId;
using Function = std::function<ValueId(Emit&, ValueId value)>;  // maps [rows, n] to [rows]

/// Element i of a value [rows, n].
ValueId element(Emit& e, ValueId value, int64_t i) {
  const tensor::Shape shape = e.shape(value);
  const ValueId one = e.operation(tensor::Op::slice, {value}, {shape[0], {1, -1}}, {0, 1, i, i + 1});
  return e.reshape(one, {shape[0]});
}
ValueId times(Emit& e, double factor, ValueId a) { return e.pointwise(tensor::Op::multiply, factor, a); }

struct Passed {
  Row value, gradient;  // value: of the latent; gradient: of the function with respect to the logits
};

/// Draws a latent of q with these logits from this noise. The logits are the biases, because x is 0.
Passed pass(const std::string& latent, const tensor::Estimator& estimator, const Row& logits,
            const Row& noise, const Function& function) {
  const vaec::CheckedModel checked = check_model(program);
  const semantics::Model& model = checked.model;
  const semantics::Player& q = model.players.at(1);
  const semantics::Conditional& conditional = model[q.conditionals.at(latent == "b" ? 0 : 1)];
  const tensor::ModelBasis basis(model);
  tensor::Program built = tensor::empty_program(basis, "estimator");
  built.batches = {tensor::BatchClass(0)};
  uint32_t site = 0;
  tensor::Translator rows(basis, built, 0, 0, site);
  Emit e(built);
  rows.bind(conditional.parents.at(0), e.constant(0, {rows.rows()}));
  const ValueId value = tensor::draw_latent(model, conditional, estimator, built, rows);
  built.outputs = {{"value", value}};
  built.updates = {{1, {{function(e, value), e.constant(1, {rows.rows()})}}, {}}};

  tensor::Inputs inputs;
  inputs.rows = {1};
  inputs.values["draw 0"] = noise;
  inputs.coefficients = {1};
  for (int32_t p = 0; p < 2; ++p)
    inputs.parameters.emplace_back(static_cast<size_t>(tensor::parameter_layout(model, {p}).elements));
  const auto& parameter = model[conditional.parameters.at(1)];
  EXPECT_TRUE(parameter.name.ends_with("bias"));
  const auto place = built.parameters[static_cast<size_t>(conditional.parameters.at(1).index)];
  std::ranges::copy(logits, inputs.parameters[1].begin() + place.offset);
  const tensor::Results results =
      tensor::interpret(tensor::make_kernel_program(with_given_draws(built)), inputs);
  Passed passed{results.outputs.at("value"), {}};
  for (size_t i = 0; i < logits.size(); ++i)
    passed.gradient.push_back(results.gradients.at(1)[static_cast<size_t>(place.offset) + i]);
  return passed;
}

constexpr double p = 0.3;
const double logit = std::log(p / (1 - p));

/// The expectation over the bit of the gradient with respect to its logit.
double bit_gradient(const std::string& estimator, const Function& function) {
  const Passed one = pass("b", {estimator}, {logit}, {1e-9}, function);
  const Passed zero = pass("b", {estimator}, {logit}, {1 - 1e-9}, function);
  EXPECT_EQ(one.value, Row{1});
  EXPECT_EQ(zero.value, Row{0});
  return p * one.gradient[0] + (1 - p) * zero.gradient[0];
}

ValueId square(Emit& e, ValueId a) { return e.multiply(a, a); }

TEST(Estimators, OfABitGiveTheKnownFigures) {
  const Function quadratic = [](Emit& e, ValueId b) {
    const ValueId x = element(e, b, 0);
    return e.subtract(times(e, 3, square(e, x)), x);
  };
  const Function cubic = [](Emit& e, ValueId b) {
    const ValueId x = element(e, b, 0);
    return e.add(e.multiply(square(e, x), x), square(e, x));
  };
  // f(1) - f(0) = 2, and p (1 - p) = 0.21: both functions have the derivative 0.42.
  EXPECT_NEAR(bit_gradient("zgr", quadratic), 0.42, 1e-9);
  EXPECT_NEAR(bit_gradient("st", quadratic), 0.168, 1e-9);
  EXPECT_NEAR(bit_gradient("zgr", cubic), 0.525, 1e-9);
  EXPECT_EQ(bit_gradient("score", quadratic), 0);  // the bound, not the draw, adds this estimator's term
}

const Row category_logits = {0.4, -0.9, 0.2};
Row category_probabilities() {
  double sum = 0;
  Row probabilities;
  for (const double one : category_logits) sum += std::exp(one);
  for (const double one : category_logits) probabilities.push_back(std::exp(one) / sum);
  return probabilities;
}

// x' A x + b' x of a one-hot x.
const double square_form[3][3] = {{1, -2, 0.5}, {3, 0.7, -1}, {0.2, 2, -1.5}};
const Row linear_form = {0.3, -1.1, 0.8};
ValueId quadratic_form(Emit& e, ValueId x) {
  ValueId sum = times(e, linear_form[0], element(e, x, 0));
  for (int64_t i = 1; i < 3; ++i) sum = e.add(sum, times(e, linear_form[size_t(i)], element(e, x, i)));
  for (int64_t i = 0; i < 3; ++i)
    for (int64_t j = 0; j < 3; ++j)
      sum = e.add(sum, times(e, square_form[i][j], e.multiply(element(e, x, i), element(e, x, j))));
  return sum;
}

/// The expectation over the class of the gradient with respect to each logit.
Row category_gradient(const std::string& estimator) {
  const Row probabilities = category_probabilities();
  Row mean(3, 0);
  for (size_t k = 0; k < 3; ++k) {
    Row noise(3, 0);
    noise[k] = 100;  // so far above every logit that argmax chooses this class
    const Passed passed = pass("k", {estimator}, category_logits, noise, quadratic_form);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(passed.value[i], i == k ? 1 : 0);
      mean[i] += probabilities[k] * passed.gradient[i];
    }
  }
  return mean;
}

TEST(Estimators, ZgrOfACategoryIsUnbiasedOnQuadraticFunctions) {
  const Row p = category_probabilities(), seen = category_gradient("zgr");
  double mean = 0;
  for (size_t k = 0; k < 3; ++k) mean += p[k] * (square_form[k][k] + linear_form[k]);
  for (size_t k = 0; k < 3; ++k)
    EXPECT_NEAR(seen[k], p[k] * (square_form[k][k] + linear_form[k] - mean), 1e-9) << k;
}

TEST(Estimators, StraightThroughOfACategoryIsTheDerivativeOfTheMean) {
  const Row p = category_probabilities(), seen = category_gradient("st");
  Row slope(3, 0);  // expectation of the function's slope
  double mean = 0;
  for (size_t i = 0; i < 3; ++i) {
    slope[i] = linear_form[i];
    for (size_t k = 0; k < 3; ++k) slope[i] += p[k] * (square_form[i][k] + square_form[k][i]);
    mean += p[i] * slope[i];
  }
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(seen[i], p[i] * (slope[i] - mean), 1e-9) << i;
}

// The probability is 0 in double precision, so no term may divide by it.
TEST(Estimators, AClassThatCannotBeDrawnGivesNoGradient) {
  for (const char* estimator : {"zgr", "st"}) {
    const Passed passed = pass("k", {estimator}, {0, 0, -2000}, {100, 0, 0}, quadratic_form);
    EXPECT_TRUE(std::isfinite(passed.gradient[0]) && std::isfinite(passed.gradient[1])) << estimator;
    EXPECT_NE(passed.gradient[0], 0) << estimator;
    EXPECT_EQ(passed.gradient[2], 0) << estimator;
  }
}

TEST(Estimators, GumbelRelaxesABit) {
  const Function itself = [](Emit& e, ValueId b) { return element(e, b, 0); };
  for (const double temperature : {0.5, 2.0}) {
    for (const double uniform : {0.01, 0.2, 0.699, 0.701, 0.99}) {
      const Passed passed = pass("b", {"gumbel", temperature}, {logit}, {uniform}, itself);
      const double expected = 1 / (1 + std::exp(-(logit + std::log(uniform / (1 - uniform))) / temperature));
      ASSERT_GT(expected, 0);
      ASSERT_LT(expected, 1);
      EXPECT_NEAR(passed.value[0], expected, 1e-9);
      EXPECT_EQ(passed.value[0] > 0.5, uniform > 1 - p) << "cold, it is 1 with probability p";
      EXPECT_NEAR(passed.gradient[0], expected * (1 - expected) / temperature, 1e-9);
    }
  }
}

TEST(Estimators, GumbelRelaxesACategory) {
  constexpr double temperature = 0.7, step = 1e-5;
  const Row noise = {0.3, 1.2, -0.4};
  const tensor::Estimator gumbel{"gumbel", temperature};
  const Passed passed = pass("k", gumbel, category_logits, noise, quadratic_form);
  double sum = 0;
  for (size_t k = 0; k < 3; ++k) sum += std::exp((category_logits[k] + noise[k]) / temperature);
  for (size_t k = 0; k < 3; ++k)
    EXPECT_NEAR(passed.value[k], std::exp((category_logits[k] + noise[k]) / temperature) / sum, 1e-9);
  const auto function_at = [&](Row logits) {
    const Row x = pass("k", gumbel, logits, noise, quadratic_form).value;
    double value = 0;
    for (size_t i = 0; i < 3; ++i) {
      value += linear_form[i] * x[i];
      for (size_t j = 0; j < 3; ++j) value += square_form[i][j] * x[i] * x[j];
    }
    return value;
  };
  for (size_t k = 0; k < 3; ++k) {
    Row above = category_logits, below = category_logits;
    above[k] += step, below[k] -= step;
    EXPECT_NEAR(passed.gradient[k], (function_at(above) - function_at(below)) / (2 * step), 1e-7);
  }
}

}  // namespace
}  // namespace enumerated_bounds
