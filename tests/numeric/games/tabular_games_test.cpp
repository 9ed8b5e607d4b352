// links: vaec_pipeline vaert_core vaert_data vaert_onednn
// Tabular games in exact arithmetic. If rows of weight > 0 know all variables, all players reach the true
// joint from any start and in both orders. Chains with too few sweeps are biased. Players that share
// statistics reach the closed form.
#include "tests/numeric/support/tabular_games.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/numeric/support/tabular_models.h"

namespace tabular_games {
namespace {

// After twenty sweeps the influence of the start is below the tolerance. Games without chains ignore the
// number.
void reach_the_true_joint(const TabularModel& model) {
  for (const bool alternating : {true, false}) {
    for (const uint64_t seed : {1, 2, 3}) {
      Game game(model.text, model.counts, model.own, {{"sweeps", "20"}});
      game.start(seed, seed);  // logits from N(0, seed^2)
      ASSERT_GT(game.distance(), 0.3) << "the start is elsewhere";
      int steps = 0;
      while (game.distance() > 1e-3 && steps < 20000) {
        game.ascend(alternating, 2, 500);
        steps += 500;
      }
      EXPECT_LT(game.distance(), 1e-3)
          << model.name << (alternating ? " alternating" : " simultaneous") << " from start " << seed;
    }
  }
}

TEST(TabularGames, TwoPlayersReachTheTrueJoint) { reach_the_true_joint(two_players()); }
TEST(TabularGames, TheSegmentationReachesTheTrueJoint) { reach_the_true_joint(segmentation()); }
TEST(TabularGames, TheLadderReachesTheTrueJoint) { reach_the_true_joint(ladder()); }
TEST(TabularGames, TwoEncodersReachTheTrueJoint) { reach_the_true_joint(two_encoders()); }
TEST(TabularGames, FivePlayersReachTheTrueJoint) { reach_the_true_joint(five_players()); }

// With unpaired rows only, every coupling of the two marginals is an equilibrium, so the start decides.
TEST(TabularGames, WithoutPairsTheStartDecides) {
  const TabularModel model = two_players();
  std::vector<std::vector<double>> found;
  for (const uint64_t seed : {1, 2}) {
    Game game(model.text, model.counts, model.own, {{"w", "0"}});
    game.start(seed, 1);
    game.ascend(true, 2, 5000);
    for (const auto& of_conditional : game.gradient())
      for (const double up : of_conditional) EXPECT_NEAR(up, 0, 1e-9);
    found.push_back(game.probabilities(0));
  }
  double apart = 0;
  for (size_t i = 0; i < found[0].size(); ++i) apart = std::max(apart, std::abs(found[0][i] - found[1][i]));
  EXPECT_GT(apart, 0.05);
}

/// Half the sum of |pi(x) q(s | x) q(z | s, x) - truth|: how far the encoder's joint is from the true one.
double joint_distance(const Game& game) {
  const Space& space = game.space();
  const auto conditional = [&](const std::string& name) {
    for (size_t c = 0; c < game.model().conditionals.size(); ++c)
      if (game.model()[game.model().conditionals[c].target].name == name) return c;
    throw std::runtime_error(name);
  };
  const std::vector<double> of_s = game.probabilities(conditional("s")),
                            of_z = game.probabilities(conditional("z"));
  std::vector<double> pi(space.classes(1), 0);
  for (size_t state = 0; state < space.size(); ++state) pi[space.value(state, 1)] += game.truth()[state];
  double sum = 0;
  for (size_t state = 0; state < space.size(); ++state) {
    const size_t s = space.value(state, 0), x = space.value(state, 1), z = space.value(state, 2);
    sum += 0.5 * std::abs(pi[x] * of_s[x * 2 + s] * of_z[(s * 3 + x) * 2 + z] - game.truth()[state]);
  }
  return sum;
}

// With another joint the distances were .44, .023 and 7e-4 after 1, 5 and 10 sweeps.
TEST(TabularGames, AChainOfTooFewSweepsIsBiased) {
  const TabularModel model = segmentation();
  std::vector<double> bias;
  for (const char* sweeps : {"1", "5", "10"}) {
    Game game(model.text, model.counts, model.own, {{"w", "0.03"}, {"sweeps", sweeps}});
    game.ascend(true, 2, 12000);
    bias.push_back(joint_distance(game));
    RecordProperty(fmt::format("after_{}_sweeps", sweeps), fmt::format("{:.2g}", bias.back()));
  }
  EXPECT_NEAR(bias[0], 0.37, 0.05);
  EXPECT_NEAR(bias[1], 0.027, 0.005);
  EXPECT_NEAR(bias[2], 7.2e-4, 2e-4);
}

// p = alpha pi_0 + (1 - alpha) r and r = alpha pi_1 + (1 - alpha) p. Therefore p = (pi_0 + (1 - alpha) pi_1)
// / (2 - alpha).
TEST(TabularGames, PlayersThatShareStatisticsMeetAtTheClosedForm) {
  const TabularModel model = shared_statistics();
  const Joint pi_0 = normalised(of_p), pi_1 = normalised(of_r);
  for (const double alpha : {0.1, 0.3, 0.7, 0.95}) {
    for (const bool alternating : {true, false}) {
      Game game(model.text, model.counts, model.own, {{"alpha", fmt::format("{}", alpha)}});
      game.start(5, 2);
      game.ascend(alternating, 2, 4000);
      const std::vector<double> p = game.probabilities(0), r = game.probabilities(1);
      for (size_t i = 0; i < p.size(); ++i) {  // for all values of `here` and `there`
        const size_t x = i % 3;
        EXPECT_NEAR(p[i], (pi_0[x] + (1 - alpha) * pi_1[x]) / (2 - alpha), 1e-6)
            << alpha << " " << alternating;
        EXPECT_NEAR(r[i], (pi_1[x] + (1 - alpha) * pi_0[x]) / (2 - alpha), 1e-6)
            << alpha << " " << alternating;
      }
    }
  }
}

}  // namespace
}  // namespace tabular_games
