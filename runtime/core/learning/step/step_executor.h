// What executes the steps of a run. In: the phases of a step, loaded on machine(), and the state before a
// step. Out: the state after it. There is one implementation for processors (processor_steps.h) and one for
// GPUs (device_steps.h).
#pragma once
#include <memory>
#include <vector>

#include "runtime/core/execution/phase.h"
#include "runtime/core/execution/watch.h"
#include "runtime/core/learning/reduction/reduction.h"
#include "runtime/core/learning/step/optimizer.h"
#include "runtime/core/learning/step/term.h"
#include "runtime/core/learning/step/training_state.h"
#include "runtime/core/ranks/row_share.h"

namespace core {

/// What an executor works on. It must outlive the executor.
struct StepContext {
  Session& session;
  const Settings& settings;
  const std::vector<Optimizer>& optimizers;  // per player
  TrainingState& state;
};

/// What the steps of a run consist of. It must outlive the executor.
struct StepWork {
  const std::vector<std::unique_ptr<LearningPhase>>& phases;
  const std::vector<Term>& terms;       // in the order of their phases
  const std::vector<RowShare>& shares;  // of each source, then of each split: the rows of this rank
  bool has_one_phase = false;           // whether a step executes one of the phases, not all (libi)
};

/// Phases [first, end) of the work.
struct PhaseRange {
  size_t first = 0, end = 0;
};

class StepExecutor {
 public:
  virtual ~StepExecutor() = default;
  /// Where the phases must be loaded.
  virtual const Machine& machine() const = 0;
  /// Called once, before the first step.
  virtual void begin(const StepWork& work) = 0;
  /// Executes these phases as step `state.step`, updates players and averages, and adds the terms to their
  /// totals. May return before the work is done: then fetch() completes the state. Failure(diagnostics) if a
  /// term is not finite, here or from fetch().
  virtual void do_step(PhaseRange phases) = 0;
  /// Executes the phase with the rows and draws of number `batch`. Updates nothing.
  virtual void look(size_t phase, uint64_t batch) = 0;
  /// The value of a term after the last do_step() or look().
  virtual float value(const Term& term) = 0;
  /// Called after the session's coefficients have changed.
  virtual void coefficients_changed() = 0;
  /// Completes the totals of the terms; if `all` is set, the whole state. Failure(diagnostics) as do_step().
  virtual void fetch(bool all) = 0;
  /// From now on, `watch` is told how long each instruction takes; may be null. Executors that return before
  /// the work is done tell it nothing.
  virtual void tell(Watch* watch) = 0;
  /// What it sums over the ranks; null if there is one rank.
  virtual Reduction* reduction() = 0;
};

/// The source's rows of the batch of which this rank gathers `rows`.
BatchRows batch_rows(const Session& session, const Settings& settings, int source, int64_t rows);

/// The executor for the session's machine.
std::unique_ptr<StepExecutor> make_step_executor(const StepContext& context);

}  // namespace core
