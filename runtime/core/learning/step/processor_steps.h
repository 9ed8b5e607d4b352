// Executes steps on the processor, and with other ranks. A step is done when do_step() returns. If a term is
// not finite, the players keep the parameters from which it was computed.
#pragma once
#include <optional>
#include <vector>

#include "runtime/core/learning/reduction/processor_reduction.h"
#include "runtime/core/learning/step/processor_update.h"
#include "runtime/core/learning/step/step_executor.h"

namespace core {

class ProcessorSteps : public StepExecutor {
 public:
  explicit ProcessorSteps(const StepContext& context);

  const Machine& machine() const override { return session_.training; }
  void begin(const StepWork& work) override { work_.emplace(work); }
  void do_step(PhaseRange phases) override;
  void look(size_t phase, uint64_t batch) override;
  float value(const Term& term) override { return term.counts ? *term.value : 0.0F; }
  void coefficients_changed() override {}
  void fetch(bool /*all*/) override {}
  void tell(Watch* watch) override { hooks_.watch = watch; }
  Reduction* reduction() override { return reduction_ ? &*reduction_ : nullptr; }

 private:
  void gather_from(Hooks& hooks, const uint64_t& batch);
  void add_rank_hooks();
  void update(int player, const float* gradient);
  void reduce(int player, float* gradient);
  void sum_ranks(int source, float* values, int64_t count);
  const Term* not_finite_term();
  void refuse_unless_finite();
  std::string cause_of(const Term& term);

  Session& session_;
  const Settings& settings_;
  TrainingState& state_;
  std::optional<ProcessorReduction> reduction_;  // only if there are several ranks
  std::vector<ProcessorUpdate> updates_;         // per player
  std::optional<StepWork> work_;
  Hooks hooks_;
  uint64_t batch_ = 0;  // the number of the step's rows and draws
  size_t phase_ = 0;    // the phase that is running
};

}  // namespace core
