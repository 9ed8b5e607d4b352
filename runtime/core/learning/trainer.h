// The training loop. In: an image, the settings of a run, a run directory. Out: the run directory filled.
// A run is a function of (image, settings): interrupted anywhere and resumed, it gives the same bits as in
// one go.
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/core/learning/average.h"
#include "runtime/core/learning/device_learner.h"
#include "runtime/core/learning/libi.h"
#include "runtime/core/learning/not_finite.h"
#include "runtime/core/learning/optimizer.h"
#include "runtime/core/learning/pattern_phase.h"
#include "runtime/core/learning/settings.h"
#include "runtime/core/learning/split_phase.h"
#include "runtime/core/phase.h"
#include "runtime/core/run_directory.h"
#include "runtime/core/session.h"

namespace core {

/// The state of a run between two steps, and the step.
class Trainer {
 public:
  /// Parameters as initialised.
  Trainer(Session& session, const Settings& settings);

  /// Takes the parameters of `settings.start`, where it names a run: before the first step of a new one.
  void start();

  /// Done so far.
  int64_t step() const { return step_; }
  /// Failure(diagnostics) naming the term that is no longer finite.
  /// On a GPU it is only begun, and what went wrong is known by fetch().
  void do_step();
  /// What is on a GPU is here too: the sums of the terms; `state`: parameters and the optimizers' state.
  /// Failure as do_step().
  void fetch(bool state);

  /// Who hears from now on how long each instruction takes; or null.
  void tell(Watch* watch) { hooks_.watch = watch; }
  /// Bytes that a program's update of the player reads and writes.
  double update_bytes(int player) const;

  /// What the user should know before the first step, a line each.
  std::vector<std::string> notes() const;

  /// Does `work` with the averages, if there are any, in place of the parameters of the session.
  void with_average(const std::function<void()>& work);

  /// A line of metrics.jsonl: means since the last line, nats per row; begins the next line's sums.
  nlohmann::json metrics(double seconds, double steps_per_second);

  /// Failure(diagnostics) where a parameter or a number of an optimizer's state is not finite, which no term
  /// has shown yet. After fetch(true).
  void require_finite() const;
  /// model.safetensors, optimizer.safetensors, state.json; average.safetensors where there is an average.
  void save(const std::filesystem::path& folder, double seconds) const;
  /// Returns the seconds that the run had taken. Failure(bad_data) naming the file and what is wrong in it.
  double restore(const Checkpoint& checkpoint);

 private:
  struct Term {
    std::string name;  // player.variable@source
    int player;        // -1: it counts for all
    int64_t rows;
    double factor;  // in its utility, beside its source's weight
    double share;   // that its rows are of the source's
    const float* value;
    const float* coefficient;  // of its tag: in steps where it is 0 the term counts zero; or null
    size_t phase;              // libi: only in its steps there is a value
    double sum = 0;
    int64_t steps = 0;
  };
  double restore_state(const nlohmann::json& state, const std::filesystem::path& file, int64_t step);
  [[noreturn]] void refuse(const Term& term, int64_t step, const std::string& what) const;
  void refuse_unless_finite();
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
  // Where rows have missing values; which of the two: is_compiled_whole.
  std::unique_ptr<PatternGame> patterns_;
  std::unique_ptr<SplitRows> splits_;
  std::vector<std::unique_ptr<LearningPhase>> phases_;
  std::vector<Optimizer> optimizers_;
  std::optional<Average> average_;
  std::vector<std::string> start_notes_;
  std::vector<Term> terms_;
  std::unique_ptr<DeviceLearner> learner_;  // where the session has a GPU
  bool learner_is_ready_ = false;
  std::optional<Libi> libi_;
  Hooks hooks_;
  bool weights_change_ = false;  // from step to step
  int64_t step_ = 0;
  size_t phase_ = 0;  // the one that runs
};

}  // namespace core
