// The state of a run is made whole in one call, whatever the session held before, and a checkpoint holds all
// of it.
// links: vaert_core
#include "runtime/core/learning/step/training_state.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/core/learning/trainer.h"
#include "runtime/shared/failure.h"
#include "tests/numeric/support/core_toy_image.h"

namespace core {
namespace {
namespace fs = std::filesystem;

/// A run of the toy model that keeps averages.
class State : public testing::Test {
 protected:
  State()
      : folder_(toy::fresh_folder("state")),
        toy_((toy::write_rows(folder_), toy::description(folder_))),
        image_(read_image(toy_.binary)),
        settings_(settings_of(image_.learns.front(), image_)) {
    settings_.average = 0.5;
  }
  ~State() override { fs::remove_all(folder_); }

  /// A session whose parameters are not zero, so that a state which does not set one of them differs.
  std::unique_ptr<Session> session() const {
    auto session = std::make_unique<Session>(image_, MachineRequest{.threads = 1});
    for (size_t player = 0; player < image_.players.size(); ++player)
      std::fill_n(session->parameters.of(static_cast<int>(player)), image_.players[player].elements, NAN);
    return session;
  }

  /// All numbers of the state.
  std::vector<double> numbers(const TrainingState& state) const {
    std::vector<double> found = {static_cast<double>(state.step), static_cast<double>(state.averaged_steps)};
    for (const auto& [term, total] : state.sums)
      found.insert(found.end(), {total.sum, static_cast<double>(total.steps)});
    for (size_t i = 0; i < image_.players.size(); ++i) {
      const auto player = static_cast<int>(i);
      found.push_back(static_cast<double>(state.optimizers[i].updates));
      std::vector<const float*> arrays = {state.parameters.of(player), state.parameters.average_of(player)};
      for (const auto& [name, values] : state.optimizers[i].moments) arrays.push_back(values.data());
      for (const float* array : arrays)
        for (const Parameter& parameter : image_.players[i].parameters)
          found.insert(found.end(), array + parameter.offset,
                       array + parameter.offset + parameter.elements());
    }
    return found;
  }

  fs::path folder_;
  toy::Image toy_;
  Image image_;
  Settings settings_;
};

TEST_F(State, ARestoredStateIsTheOneThatWasSaved) {
  const auto first = session(), second = session();
  {
    Trainer trainer(*first, settings_, initial_state(*first, settings_));
    for (int step = 0; step < 3; ++step) trainer.do_step();
    trainer.save(folder_, 7);
  }
  const TrainingState restored = restored_state(*second, settings_, {3, folder_});
  EXPECT_EQ(restored.step, 3);
  EXPECT_EQ(restored.averaged_steps, 3);
  EXPECT_EQ(restored.seconds, 7);
  EXPECT_FALSE(restored.sums.empty());
  for (const auto& [term, total] : restored.sums) EXPECT_EQ(total.steps, 3) << term;
  for (const OptimizerState& optimizer : restored.optimizers) EXPECT_EQ(optimizer.updates, 3);
  fs::create_directories(folder_ / "again");
  save(restored, *second, settings_, folder_ / "again", 7);
  for (const char* file : {"model.safetensors", "optimizer.safetensors", "average.safetensors", "state.json"})
    EXPECT_EQ(data::read_file(folder_ / file), data::read_file(folder_ / "again" / file)) << file;
}

TEST_F(State, StepsAfterARestoreGiveTheBitsOfStepsWithoutIt) {
  const auto whole = session(), begun = session(), resumed = session();
  const auto steps = [&](Session& session, TrainingState state, int count, const char* to) {
    fs::create_directories(folder_ / to);
    Trainer trainer(session, settings_, std::move(state));
    for (int step = 0; step < count; ++step) trainer.do_step();
    trainer.save(folder_ / to, 0);
  };
  steps(*whole, initial_state(*whole, settings_), 6, "whole");
  steps(*begun, initial_state(*begun, settings_), 2, "begun");
  steps(*resumed, restored_state(*resumed, settings_, {2, folder_ / "begun"}), 4, "resumed");
  for (const char* file : {"model.safetensors", "optimizer.safetensors", "average.safetensors", "state.json"})
    EXPECT_EQ(data::read_file(folder_ / "whole" / file), data::read_file(folder_ / "resumed" / file)) << file;
}

TEST_F(State, AnInitialStateDependsOnTheSeedAlone) {
  const auto first = session(), second = session(), third = session();
  const std::vector<double> one = numbers(initial_state(*first, settings_));
  for (const double number : one) EXPECT_TRUE(std::isfinite(number));
  EXPECT_EQ(numbers(initial_state(*second, settings_)), one);
  EXPECT_EQ(numbers(started_state(*third, settings_)), one) << "`start` names no run";
}

TEST_F(State, AveragesThatAreNewToARunBeginAtItsParameters) {
  const auto first = session(), second = session();
  Settings without = settings_;
  without.average = 0;
  {
    Trainer trainer(*first, without, initial_state(*first, without));
    for (int step = 0; step < 3; ++step) trainer.do_step();
    trainer.save(folder_, 0);
  }
  const TrainingState state = restored_state(*second, settings_, {3, folder_});
  EXPECT_EQ(state.averaged_steps, 0);
  for (size_t i = 0; i < image_.players.size(); ++i)
    for (const Parameter& parameter : image_.players[i].parameters)
      EXPECT_EQ(state.parameters.average_of(static_cast<int>(i))[parameter.offset],
                state.parameters.of(static_cast<int>(i))[parameter.offset]);
}

TEST_F(State, ACheckpointOfAnotherStepIsRefused) {
  const auto first = session(), second = session();
  save(initial_state(*first, settings_), *first, settings_, folder_, 0);
  try {
    restored_state(*second, settings_, {1, folder_});
    FAIL() << "it was taken";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.exit_code, Exit::bad_data);
    EXPECT_NE(std::string(failure.what()).find("\"step\""), std::string::npos) << failure.what();
  }
}

}  // namespace
}  // namespace core
