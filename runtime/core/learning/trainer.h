// The training loop. In: an image, the settings of a run, a run directory. Out: the filled run directory. A
// run depends only on (image, settings). If it is interrupted anywhere and resumed, it gives the same bits as
// without the interruption.
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/core/execution/phase.h"
#include "runtime/core/execution/session.h"
#include "runtime/core/learning/average.h"
#include "runtime/core/learning/device_learner.h"
#include "runtime/core/learning/libi.h"
#include "runtime/core/learning/not_finite.h"
#include "runtime/core/learning/optimizer.h"
#include "runtime/core/learning/phases/pattern_phase.h"
#include "runtime/core/learning/phases/split_phase.h"
#include "runtime/core/learning/reduction.h"
#include "runtime/core/learning/settings/settings.h"
#include "runtime/core/run/run_directory.h"

namespace core {

/// The state of a run between two steps, and what executes a step.
class Trainer {
 public:
  /// The parameters have their initial values.
  Trainer(Session& session, const Settings& settings);

  /// If `settings.start` names a run, loads its parameters. Called before the first step of a new run.
  void start();

  /// How many steps are done.
  int64_t step() const { return step_; }
  /// Failure(diagnostics) names the term that is no longer finite. On a GPU, the step is only enqueued, and
  /// fetch() reports such a failure.
  void do_step();
  /// From now on, the ranks are told with each step whether this one was asked to stop.
  void set_stop(std::function<bool()> asked) { stop_asked_ = std::move(asked); }
  /// Whether any rank had been asked to stop when the last step was made: all ranks know the same.
  bool stop_is_agreed() const { return flags_.stop; }
  /// Adds up what the ranks have summed since the last line; afterwards rank 0 has the sums of all, the
  /// others have none. Called before metrics() and save().
  void collect();
  /// SharedFailure names the ranks whose parameters have other bits than those of most ranks.
  void require_same_parameters() const;
  /// Seconds in which this rank waited for others, and bytes of gradients that it summed, since the last
  /// call.
  double take_waiting() { return reduction_ ? reduction_->take_waiting() : 0; }
  double take_bytes() { return reduction_ ? reduction_->take_bytes() : 0; }
  /// A hash of the parameters.
  uint64_t parameter_hash() const;

  /// Copies results from the GPU, if there is one: the sums of the terms, and if `state` is set, the
  /// parameters and the optimizers' state. Failure as in do_step().
  void fetch(bool state);

  /// From now on, `watch` is told how long each instruction takes; may be null.
  void tell(Watch* watch) { hooks_.watch = watch; }
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
  void require_finite() const;
  /// Writes model.safetensors, optimizer.safetensors, state.json, and average.safetensors if there is an
  /// average.
  void save(const std::filesystem::path& folder, double seconds) const;
  /// Returns how many seconds the run had taken. Failure(bad_data) names the file and what is wrong in it.
  double restore(const Checkpoint& checkpoint);

 private:
  struct Term {
    std::string name;  // player.variable@source
    int player;        // -1: it counts for all players
    int64_t rows;
    double factor;  // its factor in the utility, besides its source's weight
    double share;   // the share of its source's rows that it is computed from
    const float* value;
    const float* coefficient;  // of its tag, or null: in steps in which it is 0, the term counts as zero
    size_t phase;              // libi: the term has a value only in steps of this phase
    bool counts = true;        // whether this rank computes rows of it
    double sum = 0;            // of this rank's rows
    int64_t steps = 0;
    float own_value() const { return counts ? *value : 0.0F; }
  };
  double restore_state(const nlohmann::json& state, const std::filesystem::path& file, int64_t step);
  [[noreturn]] void refuse(const Term& term, int64_t step, const std::string& what) const;
  void refuse_unless_finite();
  const Term* not_finite_term() const;
  void reduce(int player, float* gradient);
  void sum_ranks(int source, float* values, int64_t count);
  void set_rank_hooks();
  BatchRows batch_rows(int source, int64_t rows) const;
  std::string cause_of(const Term& term);
  void load_phases(const std::vector<Phase>& phases);
  std::string batch_text() const;
  void require_terms() const;
  std::string player_name(const Term& term) const;
  bool rows_miss_variables() const;
  void load_pattern_phases(const Machine& machine, const std::vector<int64_t>& source_rows);
  template <class Make>
  void load_compiled(const Machine& machine, const std::vector<Phase>& phases,
                     const std::vector<int64_t>& rows, const Make& make);
  void add_term(const LearningPhase::Term& term, size_t phase, const std::vector<int64_t>& source_rows);
  std::string key_of(const Term& term) const;
  double weight_of(const std::string& source, int64_t step) const;
  double weight_of(const Term& term, int64_t step) const;
  std::string source_name(const Term& term) const;
  bool set_coefficients();
  void set_pattern_weights();
  void prepare_learner();
  void run_phases();
  void run_libi();
  double log_likelihood(Libi::Phase phase) const;

  Session& session_;
  Settings settings_;
  const Learn& learn_;
  // At most one is used, if rows have missing values; is_compiled_whole decides which.
  std::unique_ptr<PatternGame> patterns_;
  std::unique_ptr<SplitRows> splits_;
  std::vector<std::unique_ptr<LearningPhase>> phases_;
  std::vector<Optimizer> optimizers_;
  std::optional<Average> average_;
  std::vector<std::string> start_notes_;
  std::vector<Term> terms_;
  std::unique_ptr<DeviceLearner> learner_;  // only if the session has a GPU
  bool learner_is_ready_ = false;
  std::optional<Libi> libi_;
  std::optional<Reduction> reduction_;  // only if there are several ranks
  std::vector<RowShare> shares_;        // per source: its rows of the batch that this rank computes
  std::function<bool()> stop_asked_ = [] { return false; };
  StepFlags flags_;  // of all ranks
  Hooks hooks_;
  bool weights_change_ = false;  // whether weights change from step to step
  int64_t step_ = 0;
  size_t phase_ = 0;  // the phase that is running
};

}  // namespace core
