// Compares the compiled optimizers with their formulas in double, and the learning-rate schedules with closed
// forms.
// links: vaec_pipeline vaert_core vaert_data vaert_onednn
#include "runtime/core/learning/step/processor_update.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/core/execution/philox.h"
#include "runtime/shared/failure.h"
#include "tests/numeric/support/compiled_programs.h"

INSPECTS_IMAGES();

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
  for (int64_t i = gap_begin; i < gap_end; ++i) gradient[static_cast<size_t>(i)] = 0;  // as programs leave it
  return gradient;
}

/// Calls `use` with an image of the compiler. Every image holds the programs of all optimizers.
void with_optimizers(const std::function<void(const Image&)>& use) {
  const char* text =
      "var x : binary[2]\nvar z : binary[2]\nsource rows { x = npy(\"x.npy\") }\nsource codes { z ~ "
      "Bernoulli(0) }\nplayer p { x | z ~ Bernoulli(dense(z, 2)) }\nplayer q { z | x ~ Bernoulli(dense(x, "
      "2)) }\nlearn symmetric { steps = 1; batch = 2 }\n";
  bool used = false;
  compiled::with_image({"test.vae", text, {}}, [&](const Image& image) {
    use(image);
    used = true;
  });
  ASSERT_TRUE(used);
}

/// The parameters after updates by `gradient` (by its number, from 1). They begin at 0.5.
std::vector<float> updated(const Image& image, const OptimizerSettings& settings, int steps, double rate,
                           double clip, int threads = 1) {
  Machine machine;
  machine.threads = threads;
  const Optimizer optimizer(image, player(), settings, clip);
  OptimizerState state = optimizer.initial_state();
  std::vector<float> parameters(all, 0.5F), gradient(all);
  ProcessorUpdate update(image, machine, optimizer, parameters.data(), state);
  for (int step = 1; step <= steps; ++step) {
    gradient = gradient_of(step);
    update.run(gradient.data(), rate);
  }
  return parameters;
}

OptimizerSettings settings_of(const char* name, const std::map<std::string, double>& numbers) {
  OptimizerSettings settings(name);
  for (const auto& [number, value] : numbers) settings.numbers.at(number) = value;
  return settings;
}

bool in_gap(int64_t i) { return i >= gap_begin && i < gap_end; }

/// The same steps computed in double, element by element.
std::vector<double> plainly(const OptimizerSettings& s, int steps, double rate, double clip) {
  std::vector<double> p(all, 0.5), m(all), v(all);
  const double lr = rate * s.numbers.at("lr");
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
        m[i] = s.numbers.at("momentum") * m[i] + g;
        p[i] += lr * m[i];
        continue;
      }
      const double beta1 = s.numbers.at("beta1"), beta2 = s.numbers.at("beta2");
      m[i] = beta1 * m[i] + (1 - beta1) * g;
      v[i] = beta2 * v[i] + (1 - beta2) * g * g;
      if (s.kind == "adamw") p[i] -= lr * s.numbers.at("weight_decay") * p[i];
      p[i] += lr * (m[i] / (1 - std::pow(beta1, step))) /
              (std::sqrt(v[i] / (1 - std::pow(beta2, step))) + s.numbers.at("eps"));
    }
  }
  return p;
}

void expect_as_plainly(const OptimizerSettings& settings, double rate, double clip) {
  constexpr int steps = 100;
  with_optimizers([&](const Image& image) {
    const std::vector<float> parameters = updated(image, settings, steps, rate, clip);
    const std::vector<double> expected = plainly(settings, steps, rate, clip);
    for (int64_t i = 0; i < all; ++i) {
      if (in_gap(i)) continue;
      const double wanted = expected[static_cast<size_t>(i)];
      // Each step rounds, and roundings of either sign add up.
      const double tolerance = 4e-7 * std::sqrt(steps) * std::max(1.0, std::abs(wanted));
      ASSERT_NEAR(parameters[static_cast<size_t>(i)], wanted, tolerance) << i;
    }
  });
}

TEST(Optimizer, AdamAscendsAsTheFormulaSays) {
  expect_as_plainly(settings_of("adam", {{"lr", 1e-2}, {"beta2", 0.99}}), 1, 0);
}
TEST(Optimizer, AdamwDecaysTheParametersThemselves) {
  expect_as_plainly(settings_of("adamw", {{"lr", 1e-2}, {"beta2", 0.99}, {"weight_decay", 0.1}}), 0.5, 0);
}
TEST(Optimizer, SgdStepsAlongTheGradient) { expect_as_plainly(settings_of("sgd", {{"lr", 0.1}}), 1, 0); }
TEST(Optimizer, MomentumAccumulates) {
  expect_as_plainly(settings_of("sgd", {{"lr", 0.1}, {"momentum", 0.9}}), 1, 0);
}
TEST(Optimizer, ClipBoundsTheNormOfTheWholeGradient) {
  expect_as_plainly(settings_of("sgd", {{"lr", 0.1}}), 1, 3);
  expect_as_plainly(settings_of("adam", {{"lr", 1e-2}, {"eps", 0.1}}), 1, 3);
}
TEST(Optimizer, ClipLeavesAShorterGradientAsItIs) {
  expect_as_plainly(settings_of("sgd", {{"lr", 0.1}}), 1, 1e4);
}

TEST(Optimizer, GivesTheSameBitsForAnyNumberOfThreads) {
  with_optimizers([](const Image& image) {
    const OptimizerSettings settings = settings_of("adamw", {{"lr", 1e-2}});
    const std::vector<float> one = updated(image, settings, 5, 1, 3, 1);
    for (const int threads : {2, 3, 7}) EXPECT_EQ(updated(image, settings, 5, 1, 3, threads), one) << threads;
  });
}

// An update reads a parameter and its state and writes them in place, so all of it must be one loop.
TEST(Optimizer, AnUpdateIsOneLoop) {
  with_optimizers([](const Image& image) {
    ASSERT_FALSE(image.optimizers.empty());
    for (const OptimizerProgram& optimizer : image.optimizers)
      EXPECT_EQ(image.programs.at(static_cast<size_t>(optimizer.program)).instructions.size(), 1U)
          << optimizer.name;
  });
}

// The square of 1e30 exceeds float32. The moments must stay finite, so that the next steps move the
// parameters.
TEST(Optimizer, AGradientWhoseSquareOverflowsLeavesFiniteMoments) {
  with_optimizers([](const Image& image) {
    const Machine machine;
    const Optimizer optimizer(image, player(), settings_of("adam", {{"lr", 1e-2}, {"beta2", 0.99}}));
    OptimizerState state = optimizer.initial_state();
    std::vector<float> parameters(all, 0.5F);
    std::vector<float> gradient = gradient_of(1);
    ProcessorUpdate processor(image, machine, optimizer, parameters.data(), state);
    const auto update = [&] { processor.run(gradient.data(), 1); };
    gradient[7] = -1e30F;
    update();
    EXPECT_TRUE(std::isfinite(parameters[7]));
    for (const auto& [name, values] : state.moments) EXPECT_TRUE(std::isfinite(values[7])) << name;
    const float before = parameters[7];
    gradient = gradient_of(1);
    for (int step = 0; step < 100; ++step) update();
    EXPECT_NE(parameters[7], before);
    for (const float wrong : {NAN, INFINITY, -INFINITY}) {
      gradient[7] = wrong;
      update();
      EXPECT_FALSE(std::isfinite(parameters[7]));
    }
  });
}

TEST(Optimizer, NoneLeavesThePlayerAsItIs) {
  with_optimizers([](const Image& image) {
    EXPECT_EQ(updated(image, OptimizerSettings("none"), 1, 1, 0), std::vector<float>(all, 0.5F));
  });
}

TEST(Optimizer, EveryWordButNoneHasAProgram) {
  with_optimizers([](const Image& image) {
    for (const std::string& name : optimizer_names())
      EXPECT_EQ(Optimizer(image, player(), OptimizerSettings(name)).program() != nullptr, name != "none")
          << name;
  });
}

TEST(RateSchedule, CosineRisesThenFallsToZero) {
  const schema::RateSchedule cosine = {.kind = "cosine", .warmup = 10};
  EXPECT_DOUBLE_EQ(cosine.rate(0, 110), 0.1);
  EXPECT_DOUBLE_EQ(cosine.rate(9, 110), 1);
  EXPECT_DOUBLE_EQ(cosine.rate(10, 110), 1);
  EXPECT_NEAR(cosine.rate(60, 110), 0.5, 1e-12);
  EXPECT_NEAR(cosine.rate(110, 110), 0, 1e-12);
}

TEST(RateSchedule, StepMultipliesEverySoManySteps) {
  const schema::RateSchedule step = {.kind = "step", .every = 100, .factor = 0.5};
  EXPECT_DOUBLE_EQ(step.rate(99, 1000), 1);
  EXPECT_DOUBLE_EQ(step.rate(100, 1000), 0.5);
  EXPECT_DOUBLE_EQ(step.rate(250, 1000), 0.25);
}

}  // namespace
}  // namespace core
