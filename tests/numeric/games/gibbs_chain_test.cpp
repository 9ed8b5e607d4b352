// links: vaec_pipeline vaert_core vaert_data vaert_onednn
// Learning on rows that a Gibbs chain completed. The mean gradient over many steps equals the one from exact
// enumeration of the chain's last sweep, although terms are left out on rows whose target was drawn from the
// term itself.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <set>

#include "compiler/pipeline.h"
#include "runtime/core/execution/phase.h"
#include "tests/numeric/support/backend_under_test.h"

namespace {

std::function<void(const vae_image&)> inspect;  // called by vaert_main with the image

// All variables are bits. p gives x from c and z; q gives z from c and x, and c from x. If only c is known, x
// and z wait for each other.
constexpr int sweeps = 2;
const char* const program = R"(
var c, x, z : binary[1]
source bits { c ~ Bernoulli(0.4); complete gibbs(sweeps = 2) { z ~ Bernoulli(1) } }
decoder p { x | c, z ~ Bernoulli(dense(concat(c, z), 1)) }
encoder q {
  c | x ~ Bernoulli(dense(x, 1))
  z | c, x ~ Bernoulli(dense(concat(c, x), 1))
}
learn symmetric { steps = 1; batch = 64; order = simultaneous }
)";

void with_image(const std::function<void(const core::Image&)>& look) {
  base::SourceSet sources;
  base::Report report(sources);
  auto image = vaec::compile({"chain.vae", program, {}}, sources, report);
  ASSERT_TRUE(image) << base::render_text(report, false);
  bool looked = false;
  inspect = [&](const vae_image& binary) {
    looked = true;
    look(core::read_image(binary));
  };
  image->run("", {"chain"});
  ASSERT_TRUE(looked);
}

double sigmoid(double logit) { return 1 / (1 + std::exp(-logit)); }

/// P(x, z | c) as [2 x + z].
using Joint = std::array<double, 4>;

struct Truth {
  // Log-odds of x given (c, z), of z given (c, x), and of c given x: one or two weights and a bias.
  std::array<double, 3> p_x = {0.8, -1.5, 0.3}, q_z = {-0.7, 1.9, -0.4};
  std::array<double, 2> q_c = {1.1, -0.2};

  static double odds(const std::array<double, 3>& w, int a, int b) { return w[0] * a + w[1] * b + w[2]; }

  Joint draw_x(const Joint& from, int c) const {
    Joint to = {};
    for (int z = 0; z < 2; ++z) {
      const double mass = from[size_t(z)] + from[size_t(2 + z)], one = sigmoid(odds(p_x, c, z));
      to[size_t(z)] = mass * (1 - one);
      to[size_t(2 + z)] = mass * one;
    }
    return to;
  }
  Joint draw_z(const Joint& from, int c) const {
    Joint to = {};
    for (int x = 0; x < 2; ++x) {
      const double mass = from[size_t(2 * x)] + from[size_t(2 * x + 1)], one = sigmoid(odds(q_z, c, x));
      to[size_t(2 * x)] = mass * (1 - one);
      to[size_t(2 * x + 1)] = mass * one;
    }
    return to;
  }
  /// The distribution after the chain. x starts at even odds, z at log-odds 1. Both orders of the players are
  /// equally likely.
  Joint chain(int c) const {
    const double one = sigmoid(1);
    Joint joint = {(1 - one) / 2, one / 2, (1 - one) / 2, one / 2};
    for (int sweep = 0; sweep < sweeps; ++sweep) {
      const Joint first = draw_z(draw_x(joint, c), c), second = draw_x(draw_z(joint, c), c);
      for (size_t i = 0; i < 4; ++i) joint[i] = (first[i] + second[i]) / 2;
    }
    return joint;
  }

  /// The expected score of each parameter: (statistic - mean) times the input that the parameter multiplies.
  std::map<std::string, double> mean_gradient() const {
    std::map<std::string, double> mean;
    for (int c = 0; c < 2; ++c) {
      const Joint joint = chain(c);
      for (int i = 0; i < 4; ++i) {
        const int x = i / 2, z = i % 2;
        const double mass = joint[size_t(i)] * (c ? sigmoid(0.4) : 1 - sigmoid(0.4));
        const double of_x = mass * (x - sigmoid(odds(p_x, c, z)));
        const double of_z = mass * (z - sigmoid(odds(q_z, c, x)));
        const double of_c = mass * (c - sigmoid(q_c[0] * x + q_c[1]));
        mean["p.x.0"] += of_x * c;
        mean["p.x.1"] += of_x * z;
        mean["p.x.bias"] += of_x;
        mean["q.z.0"] += of_z * c;
        mean["q.z.1"] += of_z * x;
        mean["q.z.bias"] += of_z;
        mean["q.c.0"] += of_c * x;
        mean["q.c.bias"] += of_c;
      }
    }
    return mean;
  }
};

/// The places of a dense layer's numbers, by "player.target.index" and "player.target.bias".
std::map<std::string, std::pair<int, int64_t>> places(const core::Image& image) {
  std::map<std::string, std::pair<int, int64_t>> found;
  for (size_t player = 0; player < image.players.size(); ++player)
    for (const core::Parameter& parameter : image.players[player].parameters) {
      const std::string stem = parameter.name.substr(0, 4);  // "p.x."
      const bool bias = parameter.name.ends_with("bias");
      for (int64_t i = 0; i < parameter.elements(); ++i)
        found[stem + (bias ? "bias" : std::to_string(i))] = {static_cast<int>(player), parameter.offset + i};
    }
  return found;
}

TEST(GibbsChain, MeanGradientIsThatOfEnumerationWithTaggedRowsDropped) {
  with_image([](const core::Image& image) {
    const Truth truth;
    const auto place = places(image);
    core::Session session(image, one_thread());
    const std::map<std::string, double> values = {
        {"p.x.0", truth.p_x[0]}, {"p.x.1", truth.p_x[1]},    {"p.x.bias", truth.p_x[2]},
        {"q.z.0", truth.q_z[0]}, {"q.z.1", truth.q_z[1]},    {"q.z.bias", truth.q_z[2]},
        {"q.c.0", truth.q_c[0]}, {"q.c.bias", truth.q_c[1]},
    };
    ASSERT_EQ(place.size(), values.size());
    for (const auto& [name, value] : values) {
      const auto [player, offset] = place.at(name);
      session.parameters.of(player)[offset] = static_cast<float>(value);
    }
    constexpr int64_t rows = 64;
    session.set_coefficients({1.0 / rows});
    const core::Phase& phase = image.learns[0].simultaneous.at(0);
    ASSERT_EQ(phase.stages.size(), 1U);
    ASSERT_EQ(phase.stages[0].chains.at(0).tags.size(), 2U) << "x and z are drawn from themselves, c is not";
    const auto memory =
        std::make_shared<core::Floats>(core::PhaseRunner::scratch(image, phase, {rows}, false));
    core::PhaseRunner runner(session, session.machine, phase, {rows}, memory);

    std::map<std::string, double> sum, sum_of_squares;
    core::Hooks hooks;
    hooks.update = [&](int player, const float* gradient) {
      for (const auto& [name, where] : place) {
        if (where.first != player) continue;
        sum[name] += gradient[where.second];
        sum_of_squares[name] += double{gradient[where.second]} * gradient[where.second];
      }
    };
    constexpr int steps = 40000;
    std::set<std::pair<bool, bool>> marks;
    const core::Tag& first = phase.stages[0].chains[0].tags[0];
    const core::Tag& second = phase.stages[0].chains[0].tags[1];
    for (int step = 0; step < steps; ++step) {
      runner.run(3, static_cast<uint64_t>(step), hooks);
      marks.emplace(session.coefficients[size_t(first.coefficient)] != 0,
                    session.coefficients[size_t(second.coefficient)] != 0);
    }
    // In the last sweep one of the two players draws first. Only the term of that player counts.
    EXPECT_EQ(marks, (std::set<std::pair<bool, bool>>{{true, false}, {false, true}}));
    for (const auto& [name, expected] : truth.mean_gradient()) {
      const double mean = sum[name] / steps;
      const double error = std::sqrt((sum_of_squares[name] / steps - mean * mean) / steps);
      EXPECT_NEAR(mean, expected, 4 * error) << name << " +- " << error;
      EXPECT_LT(error, 0.002) << name;
    }
  });
}

TEST(GibbsChain, SweepOrdersAreEvenAndChangeFromSweepToSweep) {
  const auto order = [](uint64_t step, uint64_t sweep) {
    return core::sweep_order(3, 5, 1, core::sweep_step(step, sweep));
  };
  std::map<std::vector<int>, int> seen;
  constexpr int steps = 6000;
  for (uint64_t step = 0; step < steps; ++step) ++seen[order(step, 1)];
  ASSERT_EQ(seen.size(), 6U);
  for (const auto& [one, count] : seen) EXPECT_NEAR(count, steps / 6.0, 4 * std::sqrt(steps / 6.0));
  int differ = 0;
  for (uint64_t sweep = 1; sweep <= 60; ++sweep) differ += order(0, sweep) != order(0, sweep + 1);
  EXPECT_GT(differ, 30);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int vaert_main(const vae_image* image, int /*argc*/,
                                                                 char** /*argv*/) {
  inspect(*image);
  return 0;
}
