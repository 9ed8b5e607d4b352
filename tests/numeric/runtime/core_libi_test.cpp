// Likelihood before inference in the runtime: which step belongs to which phase, and how the multiplier
// changes.
// links: vaert_core
#include "runtime/core/learning/phases/libi.h"

#include <gtest/gtest.h>

namespace core {
namespace {

Libi libi(const nlohmann::json& own, int64_t steps) { return Libi(own, steps); }

TEST(Libi, PhasesShareTheStepsInOrder) {
  const Libi thirds = libi(nlohmann::json::object(), 9);
  const Libi asked = libi({{"fit_steps", 2}, {"constrain_steps", 0}, {"refit_steps", 6}}, 8);
  const Libi scaled = libi({{"fit_steps", 100}, {"constrain_steps", 300}, {"refit_steps", 100}}, 10);
  std::string seen[3];
  for (int64_t step = 0; step < 10; ++step) {
    if (step < 9) seen[0] += "fcr"[thirds.phase_at(step)];
    if (step < 8) seen[1] += "fcr"[asked.phase_at(step)];
    seen[2] += "fcr"[scaled.phase_at(step)];
  }
  EXPECT_EQ(seen[0], "fffcccrrr");
  EXPECT_EQ(seen[1], "ffrrrrrr");
  EXPECT_EQ(seen[2], "ffccccccrr");
}

TEST(Libi, TheMultiplierMaximizesTheViolationAndStaysAboveZero) {
  const Libi one = libi({{"epsilon", 0.5}, {"dual_rate", 0.25}}, 30);
  LibiState state;
  EXPECT_EQ(state.multiplier, 1) << "where the objective is the bound itself";
  state.best = -10;
  one.observe(state, -12.5);  // 2 nats below the allowed value
  EXPECT_DOUBLE_EQ(state.multiplier, 1.5);
  one.observe(state, -9.5);  // 1 nat above the allowed value
  EXPECT_DOUBLE_EQ(state.multiplier, 1.25);
  const nlohmann::json line = one.record(state, 12);
  EXPECT_EQ(line, (nlohmann::json{
                      {"phase", "constrain"}, {"best", -10.0}, {"multiplier", 1.25}, {"violation", 0.5}}));
  one.observe(state, 100);
  EXPECT_EQ(state.multiplier, 0);
  one.observe(state, -10.5);  // exactly the allowed value
  EXPECT_EQ(state.multiplier, 0);
  one.observe(state, -11.5);
  EXPECT_DOUBLE_EQ(state.multiplier, 0.25);
}

TEST(Libi, ItsStateIsAllThatTheNextStepsNeed) {
  const Libi method = libi(nlohmann::json::object(), 30);
  LibiState whole;
  EXPECT_EQ(method.record(whole, 3), (nlohmann::json{{"phase", "fit"}}));
  whole.best = -3;
  method.observe(whole, -4);
  const auto kept = nlohmann::json::parse(to_json(whole).dump());
  LibiState resumed = libi_state_of(schema::JsonFields(kept, "state.json"), 30);
  for (LibiState* state : {&whole, &resumed}) method.observe(*state, -3.7);
  EXPECT_EQ(whole.multiplier, resumed.multiplier);
  EXPECT_EQ(method.record(whole, 15), method.record(resumed, 15));
  EXPECT_EQ(to_json(whole), to_json(resumed));
}

}  // namespace
}  // namespace core
