// A training run from the present step of its trainer to its last step: the loop of steps, what it writes
// into the run directory, and what it prints.
#pragma once
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/core/commands/commands.h"
#include "runtime/core/commands/training/site.h"
#include "runtime/core/commands/training/trace.h"
#include "runtime/core/learning/early_stop.h"
#include "runtime/core/learning/trainer.h"
#include "runtime/core/run/progress.h"
#include "runtime/core/run/run_directory.h"
#include "runtime/core/run/sample_figures.h"
#include "runtime/core/run/sample_grid.h"

namespace core {

class TrainingRun {
 public:
  TrainingRun(Session& session, const Settings& settings, Trainer& trainer, Site& site,
              RunDirectory directory, const TrainRequest& request);

  RunDirectory& directory() { return directory_; }

  /// The text is printed when the run begins.
  void note(const std::string& text) { notes_.push_back(text); }

  /// Called if the trainer's state is of this checkpoint and not of the run's beginning. Removes what the run
  /// wrote after it. `seconds`: how long the run had taken.
  void continue_from(const Checkpoint& checkpoint, double seconds);

  /// For a run that was stopped before its first checkpoint: removes all that it wrote.
  void begin_anew();

  /// Returns the exit code. Failure(interrupted) after a checkpoint, if the user stops the run.
  int follow();

 private:
  int loop(Progress& progress);
  template <class Action>
  void traced(const char* what, const Action& action);
  void end_trace();
  bool is_over() const { return is_over_; }
  void note_what_is_over();
  bool writes() const { return session_.ranks->is_first(); }
  bool due(int64_t step, const char* what) const;
  double seconds() const;
  void log(Progress& progress);
  void write(nlohmann::json& line, Progress& progress);
  void evaluate(nlohmann::json& line, Progress& progress);
  void draw_samples();
  void show();
  void save(const std::filesystem::path& folder) const;
  void checkpoint();
  bool exchange(Progress& progress);
  [[noreturn]] void stop();

  Session& session_;
  const Settings& settings_;
  Trainer& trainer_;
  Site& site_;
  RunDirectory directory_;
  const TrainRequest& request_;
  std::unique_ptr<SampleGrid> grid_;
  std::unique_ptr<SampleFigures> figures_;
  std::unique_ptr<Trace> trace_;  // null when it is full
  std::string trace_file_;
  std::filesystem::path last_checkpoint_;
  std::vector<std::string> notes_;
  std::vector<std::vector<std::string>> evaluated_;  // the metrics, in groups that are measured together
  std::optional<EarlyStop> early_;
  bool is_over_ = false;  // stopped early
  double seconds_before_ = 0;
  std::chrono::steady_clock::time_point started_, line_begun_, next_page_;
  int64_t first_step_ = 0, line_step_ = 0;
};

}  // namespace core
