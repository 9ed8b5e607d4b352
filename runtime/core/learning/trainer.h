// Learns step by step. In: a session whose image has the learn block, the settings of a run, its state. Out:
// the state after each step, and records of it. What a step gives depends only on (image, settings, state),
// so a run that is interrupted anywhere and continued from a checkpoint gives the same bits as without the
// interruption.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/core/execution/phase.h"
#include "runtime/core/execution/session.h"
#include "runtime/core/learning/phases/libi.h"
#include "runtime/core/learning/phases/pattern_phase.h"
#include "runtime/core/learning/phases/split_phase.h"
#include "runtime/core/learning/settings/settings.h"
#include "runtime/core/learning/step/step_executor.h"

namespace core {

class Trainer {
 public:
  /// `state` is that of the session (training_state.h).
  Trainer(Session& session, const Settings& settings, TrainingState state);
  Trainer(const Trainer&) = delete;
  ~Trainer();

  /// How many steps are done.
  int64_t step() const { return state_.step; }
  /// Failure(diagnostics) names the term that is no longer finite, here or in fetch(): the step may still be
  /// running on return.
  void do_step();
  /// Waits until the state is complete: the totals of the terms, and if `all` is set, the parameters, the
  /// optimizers' state and the averages. Failure as in do_step().
  void fetch(bool all);
  /// From now on, the ranks are told with each step whether this one was asked to stop.
  void set_stop(std::function<bool()> asked);
  /// Whether any rank had been asked to stop when the last step was made: all ranks know the same.
  bool stop_is_agreed() const { return reduction_ && reduction_->stop_is_agreed(); }
  /// Adds up what the ranks have summed since the last line; afterwards rank 0 has the sums of all, the
  /// others have none. Called before metrics() and save().
  void collect();
  /// SharedFailure names the ranks whose parameters have other bits than those of most ranks. Compares
  /// nothing if the parameters are on a GPU and have not been fetched since the last step.
  void require_same_parameters() const;
  /// Seconds in which this rank waited for others, and bytes of gradients that it summed, since the last
  /// call.
  double take_waiting() { return reduction_ ? reduction_->take_waiting() : 0; }
  double take_bytes() { return reduction_ ? reduction_->take_bytes() : 0; }
  /// A hash of the parameters.
  uint64_t parameter_hash() const;

  /// From now on, `watch` is told how long each instruction takes; may be null.
  void tell(Watch* watch) { executor_->tell(watch); }
  /// How many bytes a program's update of the player reads and writes.
  double update_bytes(int player) const;

  /// What the user should know before the first step, one line each.
  std::vector<std::string> notes() const;

  /// Executes `work`. If there are averages, they replace the session's parameters meanwhile.
  void with_average(const std::function<void()>& work);

  /// A line of metrics.jsonl: means since the last line, in nats per row. Begins the sums of the next line.
  nlohmann::json metrics(double seconds, double steps_per_second);

  /// Failure(diagnostics) if a parameter or an optimizer's state has a number that is not finite, which no
  /// term has shown yet. Call it after fetch(true).
  void require_finite() const { core::require_finite(state_, session_.image); }
  /// Writes a checkpoint's files (training_state.h). Call it after fetch(true).
  void save(const std::filesystem::path& folder, double seconds) const {
    core::save(state_, session_, settings_, folder, seconds);
  }

 private:
  const std::vector<Phase>& find_phases() const;
  void load_phases(const std::vector<Phase>& phases);
  std::string batch_text() const;
  void require_terms() const;
  bool rows_miss_variables() const;
  void load_pattern_phases(const std::vector<int64_t>& source_rows);
  template <class Make>
  void load_compiled(const std::vector<Phase>& phases, const std::vector<int64_t>& rows, const Make& make);
  void add_term(const LearningPhase::Term& term, size_t phase, const std::vector<int64_t>& source_rows);
  void begin_totals();
  std::string key_of(const Term& term) const;
  std::string player_name(const Term& term) const;
  double weight_of(const std::string& source, int64_t step) const;
  double weight_of(const Term& term, int64_t step) const;
  std::string source_name(const Term& term) const;
  bool set_coefficients();
  void set_pattern_weights();
  void do_step_of_libi();
  void find_best_likelihood();
  double log_likelihood(Libi::Phase phase) const;

  Session& session_;
  Settings settings_;
  const Learn& learn_;
  TrainingState state_;
  std::vector<Optimizer> optimizers_;  // per player
  std::unique_ptr<StepExecutor> executor_;
  Reduction* reduction_ = nullptr;  // the executor's; null if there is one rank
  // At most one is used, if rows have missing values; is_compiled_whole decides which.
  std::unique_ptr<PatternGame> patterns_;
  std::unique_ptr<SplitRows> splits_;
  std::vector<std::unique_ptr<LearningPhase>> phases_;
  std::vector<Term> terms_;
  std::optional<Libi> libi_;
  std::vector<RowShare> shares_;  // per source: its rows of the batch that this rank computes
  bool weights_change_ = false;   // whether weights change from step to step
  bool has_parameters_ = true;    // whether the state has those of the last step
  int exceptions_;                // uncaught when training began
};

}  // namespace core
