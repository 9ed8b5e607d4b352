// What a run is between two steps. In: the settings of the run, and the run it starts from or the checkpoint
// it continues from. Out: a state that is made whole in one call, which a trainer changes step by step. A
// draw depends on the seed and the step, so the step is also the position of the random numbers and in the
// data.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "runtime/core/execution/session.h"
#include "runtime/core/learning/phases/libi.h"
#include "runtime/core/learning/settings/settings.h"
#include "runtime/core/learning/step/optimizer.h"
#include "runtime/core/run/run_directory.h"

namespace core {

/// The values of a term since the last line of metrics.
struct TermSum {
  double sum = 0;     // of this rank's rows
  int64_t steps = 0;  // how many steps have a value of it
};

struct TrainingState {
  /// Those of the session, where programs read them, with their averages if the run keeps averages.
  Parameters& parameters;
  std::vector<OptimizerState> optimizers;  // per player
  int64_t averaged_steps = 0;
  int64_t step = 0;                     // how many are done
  std::map<std::string, TermSum> sums;  // by the term's name
  LibiState libi;                       // only if the method is libi
  double seconds = 0;                   // how long the run took before this process
  std::vector<std::string> notes;       // what the user should know about its beginning
};

/// The state before the first step. The parameters have the initial values that the program declares, drawn
/// from the run's seed.
TrainingState initial_state(Session& session, const Settings& settings);
/// The same, but parameters of the same names and shapes are those of the run that `start` names, if it names
/// one. Failure(missing_input, bad_data, bad_configuration).
TrainingState started_state(Session& session, const Settings& settings);
/// The state that a checkpoint holds. Averages that are new to the run begin at its parameters.
/// Failure(bad_data) names the file and what is wrong in it.
TrainingState restored_state(Session& session, const Settings& settings, const Checkpoint& checkpoint);

/// Writes model.safetensors, optimizer.safetensors, state.json, and average.safetensors if there are
/// averages. `seconds`: how long the run has taken.
void save(const TrainingState& state, const Session& session, const Settings& settings,
          const std::filesystem::path& folder, double seconds);

/// Failure(diagnostics) if a parameter or an optimizer's state has a number that is not finite.
void require_finite(const TrainingState& state, const Image& image);

}  // namespace core
