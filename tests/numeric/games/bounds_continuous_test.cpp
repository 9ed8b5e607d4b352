// links: vaec_pipeline
// Bounds with reparametrised draws. For a linear Gaussian model the bound and its gradient have a closed
// form. With the noise given, the gradient is that of the bound itself, in every domain that has a
// differentiable sample.
#include <gtest/gtest.h>

#include "tests/numeric/support/enumerated_bounds.h"

namespace enumerated_bounds {
namespace {

/// The phases of a model with one source `data` of rows of x, and the model's parameters.
class Continuous {
 public:
  Continuous(const std::string& text, Row data, double scale) : checked_(check_model(text)) {
    const semantics::Model& model = checked_.model;
    inputs.columns[{0, 0}] = std::move(data);
    const auto rows = static_cast<int64_t>(inputs.columns[{0, 0}].size()) /
                      semantics::count(model[model.columns.at(0).variable].shape);
    inputs.rows = {rows};
    inputs.coefficients = {1 / static_cast<double>(rows), 1};
    double angle = 1;
    for (int32_t p = 0; p < 2; ++p) {
      auto& flat =
          inputs.parameters.emplace_back(static_cast<size_t>(tensor::parameter_layout(model, {p}).elements));
      for (double& value : flat) value = scale * std::sin(angle += 2.1);
    }
  }

  tensor::Inputs inputs;
  const semantics::Model& model() const { return checked_.model; }

  tensor::Phase phase(size_t learn) {
    const semantics::Learn& block = model().learns.at(learn);
    inputs.rows.resize(1);
    inputs.rows.push_back(inputs.rows[0] * block.own.value("samples", int64_t{1}));
    return tensor::build_bound_phases({model(), checked_.game.graph}, checked_.game.bounds.at(learn), block)
        .at(0);
  }
  double objective(const tensor::Phase& phase, const tensor::Results& results) const {
    double sum = 0;
    for (const tensor::Objective& part : phase.objective)
      sum += part.factor * inputs.coefficients[0] * results.outputs.at(part.output).at(0);
    return sum;
  }
  /// Number i of the parameter with this name.
  double& at(const std::string& name, size_t i = 0) {
    const auto places = tensor::parameter_places(model());
    for (size_t k = 0; k < places.size(); ++k)
      if (model().parameters[k].name == name)
        return inputs.parameters[size_t(places[k].player)][size_t(places[k].offset) + i];
    throw std::logic_error("no parameter " + name);
  }
  /// Visits every number of every parameter: its value, its player and place.
  void each_number(const std::function<void(double&, int, size_t)>& visit) {
    const auto places = tensor::parameter_places(model());
    for (size_t k = 0; k < places.size(); ++k)
      for (int64_t i = 0; i < semantics::count(model().parameters[k].shape); ++i) {
        const auto at = static_cast<size_t>(places[k].offset + i);
        visit(inputs.parameters[size_t(places[k].player)][at], places[k].player, at);
      }
  }

 private:
  vaec::CheckedModel checked_;
};

constexpr double log_std = -0.3;
const Row x = {0.7, -1.1};
const char* const linear_gaussian = R"(
var x : real[2]
var z : real
source data { x = npy("x.npy") }
decoder p { z ~ Normal(0); x | z ~ Normal(dense(z, 2), -0.3) }
encoder q { z | x ~ Normal(dense(x, 1), parameter([])) }
learn elbo { steps = 1 }
learn elbo as one_sample { steps = 1; analytic_kl = false; samples = 2 }
learn iwae { steps = 1; samples = 20000 }
)";

/// E log p(x | z) - KL(q || p), q = N(m, t^2), x = w z + b + noise.
double closed_elbo(Continuous& model) {
  const double m = model.at("q.z.dense1.weight", 0) * x[0] + model.at("q.z.dense1.weight", 1) * x[1] +
                   model.at("q.z.dense1.bias");
  const double log_t = model.at("q.z.parameter1"), variance = std::exp(2 * log_t);
  double sum = -0.5 * (variance + m * m - 1 - 2 * log_t);
  for (size_t i = 0; i < 2; ++i) {
    const double w = model.at("p.x.dense1.weight", i), error = x[i] - w * m - model.at("p.x.dense1.bias", i);
    sum += -0.5 * std::log(2 * M_PI) - log_std -
           0.5 * std::exp(-2 * log_std) * (error * error + w * w * variance);
  }
  return sum;
}

// The bound is quadratic in the noise. Three Gauss-Hermite nodes per draw therefore give its mean exactly.
TEST(ContinuousBounds, OfALinearGaussianAreClosedForms) {
  const Row nodes = {-std::sqrt(3.0), 0, std::sqrt(3.0)}, masses = {1.0 / 6, 2.0 / 3, 1.0 / 6};
  Continuous model(linear_gaussian, x, 0.6);
  for (size_t learn = 0; learn < 2; ++learn) {
    const tensor::Phase phase = model.phase(learn);
    const tensor::KernelProgram kernel_program = tensor::make_kernel_program(with_given_draws(phase.program));
    double mean = 0;
    std::map<std::pair<int, size_t>, double> gradient;
    for_each_tuple(learn == 0 ? 1 : 2, 3, [&](const std::vector<size_t>& places) {
      double mass = 1;
      tensor::Numbers& noise = model.inputs.values["draw 0"];
      noise.clear();
      for (const size_t place : places) {
        noise.push_back(nodes[place]);
        mass *= masses[place];
      }
      const tensor::Results results = tensor::interpret(kernel_program, model.inputs);
      mean += mass * model.objective(phase, results);
      model.each_number([&](double&, int player, size_t at) {
        gradient[{player, at}] += mass * results.gradients.at(player).at(at);
      });
    });
    EXPECT_NEAR(mean, closed_elbo(model), 1e-9);
    model.each_number([&](double& value, int player, size_t at) {
      const double kept = value, step = 1e-5;
      value = kept + step;
      const double above = closed_elbo(model);
      value = kept - step;
      const double below = closed_elbo(model);
      value = kept;
      EXPECT_NEAR(gradient.at({player, at}), (above - below) / (2 * step), 1e-8) << player << " " << at;
    });
  }
}

/// log N(x; b, w w' + s^2).
double log_likelihood(Continuous& model) {
  const double s = std::exp(2 * log_std), w0 = model.at("p.x.dense1.weight", 0),
               w1 = model.at("p.x.dense1.weight", 1);
  const double e0 = x[0] - model.at("p.x.dense1.bias", 0), e1 = x[1] - model.at("p.x.dense1.bias", 1);
  const double c00 = w0 * w0 + s, c11 = w1 * w1 + s, c01 = w0 * w1, det = c00 * c11 - c01 * c01;
  return -std::log(2 * M_PI) - 0.5 * std::log(det) -
         0.5 * (c11 * e0 * e0 - 2 * c01 * e0 * e1 + c00 * e1 * e1) / det;
}

TEST(ContinuousBounds, IwaeOfManySamplesIsTheLikelihood) {
  Continuous model(linear_gaussian, x, 0.6);
  model.at("q.z.parameter1") = 0.2;  // wide enough for the weights to have a small variance
  const tensor::Phase phase = model.phase(2);
  const double seen = model.objective(phase, tensor::interpret(phase.program, model.inputs));
  const double exact = log_likelihood(model);
  EXPECT_NEAR(seen, exact, 0.03);
  EXPECT_LT(closed_elbo(model), exact - 0.1);
}

// Real, positive and unit latents, one of them drawn from another, with several rows.
TEST(ContinuousBounds, GradientsAreThoseOfTheBoundAtItsNoise) {
  Continuous model(R"(
var x : real[2]
var a : real
var b : positive
var c : unit[2]
source data { x = npy("x.npy") }
decoder p {
  a ~ Normal(0)
  b ~ LogNormal(0)
  c | a ~ LogitNormal(dense(a, 2))
  x | b, c ~ Normal(dense(tanh(dense(concat(b, c), 3)), 2), parameter([]))
}
encoder q {
  let h = tanh(dense(x, 3))
  a | x ~ Normal(dense(h, 1), parameter([]))
  b | a, x ~ LogNormal(dense(concat(h, a), 1), -0.5)
  c | a, x ~ LogitNormal(p.c(a)[0] + dense(h, 2), -0.5)
}
learn elbo { steps = 1 }
learn elbo as one_sample { steps = 1; analytic_kl = false; samples = 3; beta = 0.6 }
learn iwae { steps = 1; samples = 3 }
)",
                   {0.7, -1.1, 0.2, 0.5, 1.3, -0.4}, 0.6);
  for (size_t learn = 0; learn < 3; ++learn) {
    const tensor::Phase phase = model.phase(learn);
    const tensor::Results results =
        tensor::interpret(tensor::make_kernel_program(phase.program), model.inputs);
    double largest = 0;
    model.each_number([&](double& value, int player, size_t at) {
      const double kept = value, step = 1e-5;
      const auto objective_at = [&](double moved) {
        value = moved;
        return model.objective(phase, tensor::interpret(phase.program, model.inputs));
      };
      const double above = objective_at(kept + step), below = objective_at(kept - step);
      value = kept;
      const double gradient = results.gradients.at(player).at(at);
      EXPECT_NEAR(gradient, (above - below) / (2 * step), 1e-6 * (1 + std::abs(gradient)))
          << "learn " << learn << " player " << player << " at " << at;
      largest = std::max(largest, std::abs(gradient));
    });
    EXPECT_GT(largest, 0.1);
  }
}

// In floating point a sigmoid of 60 is 1. The density of the draw must be finite nevertheless.
TEST(ContinuousBounds, AreFiniteWhereUnitCodesSaturate) {
  for (const char* mean : {"60", "-60"}) {
    Continuous model(std::string(R"(
var x : real[2]
var z : unit[3]
source data { x = npy("x.npy") }
decoder p { z ~ Uniform(); x | z ~ Normal(dense(z, 2)) }
encoder q { z | x ~ LogitNormal(dense(x, 3) + )") +
                         mean + R"() }
learn elbo { steps = 1 }
)",
                     {0.7, -1.1}, 0.6);
    const tensor::Phase phase = model.phase(0);
    const tensor::Results results =
        tensor::interpret(tensor::make_kernel_program(phase.program), model.inputs);
    EXPECT_TRUE(std::isfinite(model.objective(phase, results)));
    model.each_number([&](double&, int player, size_t at) {
      EXPECT_TRUE(std::isfinite(results.gradients.at(player).at(at)));
    });
  }
}

}  // namespace
}  // namespace enumerated_bounds
