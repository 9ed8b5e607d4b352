// Compares the optimizers with their formulas in double, and the learning-rate schedules with closed forms.
// links: vaert_core
#include "runtime/core/learning/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/core/execution/philox.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {

constexpr int64_t gap_begin = 40000, gap_end = 40016,
                  all = 70000;  // with a gap between two parameters; long enough for several pieces

Player player() {
  return {"p", Role::decoder, all, {{"p.a", {gap_begin}, 0, {}}, {"p.b", {all - gap_end}, gap_end, {}}}};
}

std::vector<float> gradient_of(int step) {
  std::vector<float> gradient(all);
  for (int64_t i = 0; i < all; ++i)
    gradient[static_cast<size_t>(i)] =
        static_cast<float>(0.1 * philox_normal(1, static_cast<uint64_t>(step), 0, static_cast<uint64_t>(i)));
  for (int64_t i = gap_begin; i < gap_end; ++i) gradient[static_cast<size_t>(i)] = NAN;  // must never be read
  return gradient;
}

bool in_gap(int64_t i) { return i >= gap_begin && i < gap_end; }

/// The same steps computed in double, element by element.
std::vector<double> plainly(const OptimizerSettings& s, int steps, double rate, double clip) {
  std::vector<double> p(all, 0.5), m(all), v(all);
  for (int step = 1; step <= steps; ++step) {
    const std::vector<float> gradient = gradient_of(step);
    double norm = 0;
    for (int64_t i = 0; i < all; ++i)
      if (!in_gap(i)) norm += double{gradient[static_cast<size_t>(i)]} * gradient[static_cast<size_t>(i)];
    const double scale = clip > 0 ? std::min(1.0, clip / (std::sqrt(norm) + 1e-6)) : 1;
    for (size_t i = 0; i < p.size(); ++i) {
      if (in_gap(static_cast<int64_t>(i))) continue;
      const double g = gradient[i] * scale;
      if (s.kind == "sgd") {
        m[i] = s.momentum * m[i] + g;
        p[i] += rate * s.lr * m[i];
        continue;
      }
      m[i] = s.beta1 * m[i] + (1 - s.beta1) * g;
      v[i] = s.beta2 * v[i] + (1 - s.beta2) * g * g;
      if (s.kind == "adamw") p[i] -= rate * s.lr * s.weight_decay * p[i];
      p[i] += rate * s.lr * (m[i] / (1 - std::pow(s.beta1, step))) /
              (std::sqrt(v[i] / (1 - std::pow(s.beta2, step))) + s.eps);
    }
  }
  return p;
}

void expect_as_plainly(const OptimizerSettings& settings, double rate, double clip) {
  Optimizer optimizer(player(), settings);
  std::vector<float> parameters(all, 0.5f);
  for (int step = 1; step <= 20; ++step)
    optimizer.update(parameters.data(), gradient_of(step).data(), rate, clip);
  const std::vector<double> expected = plainly(settings, 20, rate, clip);
  for (size_t i = 0; i < parameters.size(); ++i) ASSERT_NEAR(parameters[i], expected[i], 2e-6) << i;
}

TEST(Optimizer, AdamAscendsAsTheFormulaSays) { expect_as_plainly({"adam", 1e-2, 0.9, 0.99, 1e-8}, 1, 0); }
TEST(Optimizer, AdamwDecaysTheParametersThemselves) {
  expect_as_plainly({"adamw", 1e-2, 0.9, 0.99, 1e-8, 0.1}, 0.5, 0);
}
TEST(Optimizer, SgdStepsAlongTheGradient) { expect_as_plainly({.kind = "sgd", .lr = 0.1}, 1, 0); }
TEST(Optimizer, MomentumAccumulates) { expect_as_plainly({.kind = "sgd", .lr = 0.1, .momentum = 0.9}, 1, 0); }
TEST(Optimizer, ClipBoundsTheNormOfTheWholeGradient) { expect_as_plainly({.kind = "sgd", .lr = 0.1}, 1, 3); }

// The square of 1e30 exceeds float32. The moments must stay finite, so that the next steps move the
// parameters.
TEST(Optimizer, AGradientWhoseSquareOverflowsLeavesFiniteMoments) {
  Optimizer optimizer(player(), {"adam", 1e-2, 0.9, 0.99, 1e-8});
  std::vector<float> parameters(all, 0.5f);
  std::vector<float> gradient = gradient_of(1);
  gradient[7] = -1e30f;
  optimizer.update(parameters.data(), gradient.data(), 1, 0);
  EXPECT_TRUE(std::isfinite(parameters[7]));
  for (const auto& [name, values] : optimizer.state()) EXPECT_TRUE(std::isfinite(values[7])) << name;
  const float before = parameters[7];
  for (int step = 0; step < 100; ++step) optimizer.update(parameters.data(), gradient_of(1).data(), 1, 0);
  EXPECT_NE(parameters[7], before);
  gradient[7] = NAN;
  optimizer.update(parameters.data(), gradient.data(), 1, 0);
  EXPECT_TRUE(std::isnan(parameters[7]));
}

TEST(Optimizer, NoneLeavesThePlayerAsItIs) {
  Optimizer optimizer(player(), {.kind = "none"});
  std::vector<float> parameters(all, 0.5f);
  optimizer.update(parameters.data(), gradient_of(1).data(), 1, 0);
  EXPECT_EQ(parameters, std::vector<float>(all, 0.5f));
}

TEST(Optimizer, RefusesAKindThatThereIsNot) {
  EXPECT_THROW(Optimizer(player(), {.kind = "adamax"}), Failure);
}

TEST(RateSchedule, CosineRisesThenFallsToZero) {
  const RateSchedule cosine = {.kind = "cosine", .warmup = 10};
  EXPECT_DOUBLE_EQ(cosine.rate(0, 110), 0.1);
  EXPECT_DOUBLE_EQ(cosine.rate(9, 110), 1);
  EXPECT_DOUBLE_EQ(cosine.rate(10, 110), 1);
  EXPECT_NEAR(cosine.rate(60, 110), 0.5, 1e-12);
  EXPECT_NEAR(cosine.rate(110, 110), 0, 1e-12);
}

TEST(RateSchedule, StepMultipliesEverySoManySteps) {
  const RateSchedule step = {.kind = "step", .every = 100, .factor = 0.5};
  EXPECT_DOUBLE_EQ(step.rate(99, 1000), 1);
  EXPECT_DOUBLE_EQ(step.rate(100, 1000), 0.5);
  EXPECT_DOUBLE_EQ(step.rate(250, 1000), 0.25);
}

}  // namespace
}  // namespace core
