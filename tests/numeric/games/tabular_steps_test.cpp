// links: vaec_pipeline vaert_core vaert_data vaert_onednn
// The compiled steps of tabular games. Their mean gradients equal those of exact enumeration, for any tables.
// Players that follow them reach the true joint, or the closed form, in both orders.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "runtime/core/execution/phase.h"
#include "runtime/data/arrays/npy.h"
#include "tests/numeric/support/backend_under_test.h"
#include "tests/numeric/support/tabular_models.h"

namespace {
std::function<void(const vae_image&)> inspect;  // called by vaert_main with the image
}

namespace tabular_games {
namespace {
namespace fs = std::filesystem;

Game game_of(const TabularModel& model, const Defines& defines) {
  return {model.text, model.counts, model.own, defines};
}

/// A compiled game, with its rows in files and the tables of the exact game as its parameters.
class Steps {
 public:
  Steps(const core::Image& image, const Game& game) : image_(image), session_(image, one_thread()) {
    const semantics::Model& model = game.model();
    std::vector<double> coefficients;
    for (const semantics::Source& source : model.sources) coefficients.push_back(source.weight / batch);
    session_.set_coefficients(coefficients);
    for (const semantics::Conditional& conditional : model.conditionals) {
      Place& place = places_.emplace_back();
      if (conditional.parameters.empty()) continue;
      place.player = conditional.player.index;
      for (const core::Parameter& parameter : image.players[static_cast<size_t>(place.player)].parameters) {
        if (parameter.name != model[conditional.parameters[0]].name) continue;
        place.offset = parameter.offset;
        place.classes = parameter.shape.at(0);
        place.states = parameter.shape.at(1);
      }
    }
  }

  static constexpr int64_t batch = 128;
  size_t conditionals() const { return places_.size(); }
  int player(size_t conditional) const { return places_[conditional].player; }

  /// The position of logit i of the exact table in the player's flat array, in which weights are [classes,
  /// states].
  int64_t place(size_t conditional, size_t i) const {
    const Place& place = places_[conditional];
    const auto logit = static_cast<int64_t>(i);
    return place.offset + logit % place.classes * place.states + logit / place.classes;
  }
  int64_t size(size_t conditional) const {
    return places_[conditional].classes * places_[conditional].states;
  }
  float* parameters(int player) const { return session_.parameters.of(player); }

  void take(const Game& game) {
    for (size_t c = 0; c < conditionals(); ++c)
      for (size_t i = 0; i < static_cast<size_t>(size(c)); ++i)
        parameters(player(c))[place(c, i)] = static_cast<float>(game.logits(c)[i]);
  }

  void run(bool alternating, int steps,
           const std::function<void(int step, int player, const float*)>& update) {
    const std::vector<core::Phase>& phases =
        alternating ? image_.learns[0].alternating : image_.learns[0].simultaneous;
    const std::vector<int64_t> rows(image_.sources.size(), batch);
    std::vector<std::unique_ptr<core::PhaseRunner>> runners;
    for (const core::Phase& phase : phases) {
      core::PhaseRunner::open(session_, phase);
      runners.push_back(std::make_unique<core::PhaseRunner>(
          session_, session_.machine, phase, rows,
          std::make_shared<core::Floats>(core::PhaseRunner::scratch(image_, phase, rows, false))));
    }
    for (int step = 0; step < steps; ++step) {
      core::Hooks hooks;
      hooks.gather = [&](int column, int source, int64_t count, float* to) {
        session_.rows.gather_random(column, source, 7, static_cast<uint64_t>(step), count, to);
      };
      hooks.update = [&](int player, const float* gradient) { update(step, player, gradient); };
      for (const auto& runner : runners) runner->run(7, static_cast<uint64_t>(step), hooks);
    }
  }

 private:
  struct Place {
    int player = -1;
    int64_t offset = 0, classes = 0, states = 0;
  };
  const core::Image& image_;
  core::Session session_;
  std::vector<Place> places_;
};

/// Writes a file of all rows for every variable that a source of the model reads.
void write_rows(const fs::path& folder, const Game& game, const TabularModel& model) {
  const auto write = [&](const std::string& file, const Joint& counts, int variable) {
    std::vector<float> values;
    for (size_t state = 0; state < counts.size(); ++state) {
      const auto count = static_cast<int>(std::lround(counts[state]));
      values.insert(values.end(), static_cast<size_t>(count),
                    static_cast<float>(game.space().value(state, variable)));
    }
    data::write_npy(folder / (file + ".npy"), {static_cast<int64_t>(values.size())}, values.data());
  };
  for (size_t v = 0; v < game.space().variables(); ++v)
    write(game.model().variables[v].name, model.counts, static_cast<int>(v));
  for (const auto& [source, counts] : model.own)
    for (size_t v = 0; v < game.space().variables(); ++v)
      if (game.model().variables[v].name == "x") write(source, counts, static_cast<int>(v));
}

void with_steps(const TabularModel& model, const Game& game, const Defines& defines,
                const std::function<void(Steps&)>& look) {
  const fs::path folder = fs::temp_directory_path() / fmt::format("vaec-tabular-{}", getpid());
  fs::create_directories(folder);
  write_rows(folder, game, model);
  base::SourceSet sources;
  base::Report report(sources);
  auto image = vaec::compile({(folder / "game.vae").string(), model.text, defines}, sources, report);
  ASSERT_TRUE(image) << base::render_text(report, false);
  bool looked = false;
  inspect = [&](const vae_image& binary) {
    looked = true;
    const core::Image read = core::read_image(binary);
    Steps steps(read, game);
    look(steps);
  };
  image->run("", {"game"});
  EXPECT_TRUE(looked);
  fs::remove_all(folder);
}

void mean_gradients_are_exact(const TabularModel& model) {
  const Defines defines = {{"w", "0.5"}, {"sweeps", "2"}};
  Game game = game_of(model, defines);
  game.start(3, 1);
  with_steps(model, game, defines, [&](Steps& steps) {
    steps.take(game);
    constexpr int count = 4000;
    std::map<std::pair<int, int64_t>, std::pair<double, double>> sums;  // of the gradient and its square
    steps.run(false, count, [&](int, int player, const float* gradient) {
      for (size_t c = 0; c < steps.conditionals(); ++c) {
        if (steps.player(c) != player) continue;
        for (size_t i = 0; i < static_cast<size_t>(steps.size(c)); ++i) {
          const int64_t place = steps.place(c, i);
          auto& [sum, squares] = sums[{player, place}];
          sum += gradient[place];
          squares += double{gradient[place]} * gradient[place];
        }
      }
    });
    const auto exact = game.gradient();
    size_t compared = 0;
    for (size_t c = 0; c < exact.size(); ++c) {
      for (size_t i = 0; i < static_cast<size_t>(steps.size(c)); ++i) {
        const auto [sum, squares] = sums.at({steps.player(c), steps.place(c, i)});
        const double mean = sum / count, error = std::sqrt((squares / count - mean * mean) / count);
        EXPECT_NEAR(mean, exact[c][i], 4.5 * error + 1e-6)
            << model.name << " conditional " << c << " logit " << i;
        EXPECT_LT(error, 0.002);
        ++compared;
      }
    }
    EXPECT_GE(compared, 12U);
  });
}

TEST(TabularSteps, MeanGradientsOfTwoPlayersAreExact) { mean_gradients_are_exact(two_players()); }
TEST(TabularSteps, MeanGradientsOfTheSegmentationAreExact) { mean_gradients_are_exact(segmentation()); }
TEST(TabularSteps, MeanGradientsOfTheLadderAreExact) { mean_gradients_are_exact(ladder()); }
TEST(TabularSteps, MeanGradientsOfTwoEncodersAreExact) { mean_gradients_are_exact(two_encoders()); }
TEST(TabularSteps, MeanGradientsOfFivePlayersAreExact) { mean_gradients_are_exact(five_players()); }
TEST(TabularSteps, MeanGradientsOfSharedStatisticsAreExact) { mean_gradients_are_exact(shared_statistics()); }

/// The exact game with the tables that sampled steps reach by gradient ascent with rates 2 / (1 + step /
/// 500).
Game learned(const TabularModel& model, const Defines& defines, bool alternating, uint64_t seed) {
  Game game = game_of(model, defines);
  game.start(seed, 1);
  with_steps(model, game, defines, [&](Steps& steps) {
    steps.take(game);
    steps.run(alternating, 4000, [&](int step, int player, const float* gradient) {
      for (size_t c = 0; c < steps.conditionals(); ++c) {
        if (steps.player(c) != player) continue;
        for (size_t i = 0; i < static_cast<size_t>(steps.size(c)); ++i)
          steps.parameters(player)[steps.place(c, i)] +=
              static_cast<float>(2 / (1 + step / 500.0)) * gradient[steps.place(c, i)];
      }
    });
    for (size_t c = 0; c < steps.conditionals(); ++c) {
      std::vector<double> logits;
      for (size_t i = 0; i < static_cast<size_t>(steps.size(c)); ++i)
        logits.push_back(steps.parameters(steps.player(c))[steps.place(c, i)]);
      if (!logits.empty()) game.set_logits(c, logits);
    }
  });
  return game;
}

TEST(TabularSteps, SampledPlayersReachTheTrueJointInBothOrders) {
  for (const TabularModel& model : true_joint_models()) {
    for (const bool alternating : {true, false}) {
      const Game game = learned(model, {{"w", "1"}}, alternating, alternating ? 1 : 2);
      EXPECT_LT(game.distance(), 0.05) << model.name << (alternating ? " alternating" : " simultaneous");
    }
  }
}

TEST(TabularSteps, SampledPlayersThatShareStatisticsMeetAtTheClosedForm) {
  constexpr double alpha = 0.3;
  const Game game = learned(shared_statistics(), {{"alpha", "0.3"}}, true, 4);
  const Joint pi_0 = normalised(of_p), pi_1 = normalised(of_r);
  const std::vector<double> p = game.probabilities(0), r = game.probabilities(1);
  for (size_t i = 0; i < p.size(); ++i) {
    EXPECT_NEAR(p[i], (pi_0[i % 3] + (1 - alpha) * pi_1[i % 3]) / (2 - alpha), 0.02);
    EXPECT_NEAR(r[i], (pi_1[i % 3] + (1 - alpha) * pi_0[i % 3]) / (2 - alpha), 0.02);
  }
}

}  // namespace
}  // namespace tabular_games

extern "C" __attribute__((visibility("default"))) int vaert_main(const vae_image* image, int /*argc*/,
                                                                 char** /*argv*/) {
  inspect(*image);
  return 0;
}
