// links: vaec_pipeline
// The Jacobian of a decoder's mean equals central differences of the mean's program, as built and as a kernel
// program. There is no Jacobian if the parent has no derivatives.
#include "compiler/tensor/build/build_jacobian.h"

#include <gtest/gtest.h>

#include <cmath>

#include "compiler/tensor/interpret.h"
#include "compiler/tensor/passes.h"
#include "tests/numeric/support/example_programs.h"

namespace {

semantics::Model model_of(const std::string& latent, const std::string& data, const std::string& mean) {
  const std::string text = "var z : " + latent + "\nvar x : " + data + R"(
source rows { x = npy("x.npy"); z = npy("z.npy") }
decoder p { x | z ~ )" + mean +
                           R"( }
learn supervised { steps = 1 }
)";
  return programs::check_model({"jacobian.vae", text, {}}).model;
}

constexpr int64_t rows = 3;

void expect_jacobian(const semantics::Model& model) {
  const semantics::ConditionalId x = model.players.at(0).conditionals.at(0);
  const auto jacobian = tensor::build_jacobian(model, x);
  ASSERT_TRUE(jacobian);
  const tensor::Program mean = *tensor::build_mean(model, x);
  const auto width = static_cast<size_t>(semantics::count(model.variables[0].shape)),
             elements = static_cast<size_t>(semantics::count(model.variables[1].shape));
  tensor::Inputs inputs;
  inputs.rows = {rows, rows * static_cast<int64_t>(elements)};
  double angle = 1;
  auto& flat =
      inputs.parameters.emplace_back(static_cast<size_t>(tensor::parameter_layout(model, {0}).elements));
  for (double& value : flat) value = 0.8 * std::sin(angle += 2.1);
  tensor::Numbers& z = inputs.values["z"];
  for (size_t i = 0; i < static_cast<size_t>(rows) * width; ++i)
    z.push_back(0.5 + 0.4 * std::sin(angle += 1.3));
  const tensor::Numbers built = tensor::interpret(*jacobian, inputs).outputs.at("jacobian"),
                        scheduled = tensor::interpret(tensor::make_kernel_program(*jacobian), inputs)
                                        .outputs.at("jacobian");
  ASSERT_EQ(built.size(), static_cast<size_t>(rows) * elements * width);
  double largest = 0;
  for (size_t row = 0; row < static_cast<size_t>(rows); ++row)
    for (size_t k = 0; k < width; ++k) {
      double& number = z[row * width + k];
      const double kept = number, step = 1e-5;
      number = kept + step;
      const tensor::Numbers above = tensor::interpret(mean, inputs).outputs.at("mean");
      number = kept - step;
      const tensor::Numbers below = tensor::interpret(mean, inputs).outputs.at("mean");
      number = kept;
      for (size_t i = 0; i < elements; ++i) {
        const size_t at = row * elements + i;
        const double slope = (above[at] - below[at]) / (2 * step);
        EXPECT_NEAR(built[at * width + k], slope, 1e-7) << row << " " << i << " " << k;
        EXPECT_NEAR(scheduled[at * width + k], slope, 1e-7) << row << " " << i << " " << k;
        largest = std::max(largest, std::abs(slope));
      }
    }
  EXPECT_GT(largest, 0.01);
}

TEST(Jacobian, OfNetsIsThatOfCentralDifferences) {
  expect_jacobian(model_of("real[2]", "real[3]", "Normal(dense(leaky_relu(dense(z, 7), 0.2), 3), -2)"));
  expect_jacobian(model_of("unit[3]", "real[4]", "Normal(dense(tanh(dense(z - 0.5, 7)), 4) + z[0], -2)"));
  expect_jacobian(model_of("real", "real", "Normal(sin(z) * stop(z), parameter([]))"));
  expect_jacobian(model_of("positive[2, 2]", "binary[5, 5]",
                           "Bernoulli(conv(tanh(deconv(reshape(z, [4, 1, 1]), 2, 5)), 1, 3, padding = 1))"));
}

TEST(Jacobian, IsOfOneParentOnALine) {
  const auto of = [](const std::string& latent, const std::string& mean) {
    const semantics::Model model = model_of(latent, "real[3]", mean);
    return tensor::build_jacobian(model, model.players.at(0).conditionals.at(0)).has_value();
  };
  EXPECT_TRUE(of("real[2]", "Normal(dense(z, 3))"));
  EXPECT_FALSE(of("binary[2]", "Normal(dense(z, 3))"));
  EXPECT_FALSE(of("category(2)", "Normal(dense(z, 3))"));
}

}  // namespace
