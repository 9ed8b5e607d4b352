// Executes steps on a GPU. Parameters, the optimizers' state, the sources' rows and the sums of the terms are
// in the device's memory, so a step needs nothing of the host except rows of other models. Steps are only
// enqueued. Each kind of step is recorded once and replayed. With Gibbs chains, whose order is drawn anew,
// single sweeps are replayed. The host's state is that of the last fetch(). With several ranks, each has a
// GPU and computes its rows of the batch; gradients are summed between the ranks on the GPUs.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "runtime/core/learning/reduction/device_reduction.h"
#include "runtime/core/learning/step/step_executor.h"
#include "runtime/core/learning/step/update_runner.h"

namespace core {

class DeviceSteps : public StepExecutor {
 public:
  /// The session must have a device.
  explicit DeviceSteps(const StepContext& context);

  const Machine& machine() const override { return machine_; }
  void begin(const StepWork& work) override;
  /// The phases must be the same in all steps that begin with the same phase.
  void do_step(PhaseRange phases) override;
  void look(size_t phase, uint64_t batch) override;
  /// Waits for the last step.
  float value(const Term& term) override;
  void coefficients_changed() override { hooks_.coefficients_changed(); }
  void fetch(bool all) override;
  void tell(Watch* /*watch*/) override {}
  Reduction* reduction() override { return reduction_ ? &*reduction_ : nullptr; }

 private:
  /// Steps that do the same work.
  struct Kind {
    int64_t first_term = 0, terms = 0;
    std::map<int, int> updates;  // per player
    Device::Recording recording;
  };
  struct Resident {
    Floats rows;
    int64_t count, width;
  };
  /// Rows of another model, which the host draws before each step.
  struct Drawn {
    Floats rows;
    BatchRows of_batch;
    std::vector<float> host;
  };
  struct State {
    float* host;
    Floats device;
  };

  /// Which rows: their column and source, and the place of the first of them in the source's batch.
  struct Place {
    int column, source;
    int64_t first;
    /// Columns of the same rows are neighbours in the order, so that another model draws the rows once.
    bool operator<(const Place& other) const {
      return std::tie(source, first, column) < std::tie(other.source, other.first, other.column);
    }
  };

  void add_own_hooks();
  void add_rank_hooks();
  /// Gathers rows on the device, as the host would do for a program.
  void gather(int column, int source, const Pattern& pattern, const BatchRows& rows, float* to);
  const Resident& resident(const Place& place, const Pattern& pattern);
  const Drawn& drawn(const Place& place, const BatchRows& rows);
  void draw(const Place& place, Drawn& drawn);
  /// Draws the rows of that step that only the host can draw.
  void draw_rows(uint64_t step);
  void update(int player, const float* gradient);
  void add_to_averages();
  void fill_table();
  void set_clock(uint64_t step);
  void place_terms();
  void upload_state();
  void fetch_totals();
  void refuse_unless_finite(const std::vector<int64_t>& bad);
  /// How the kinds of steps are numbered: by the first phase of a step.
  size_t kind_of(const Term& term) const { return work_->has_one_phase ? term.phase : 0; }
  const float* on_device(const float* coefficient) const;

  Session& session_;
  const Settings& settings_;
  const std::vector<Optimizer>& optimizers_;
  TrainingState& state_;
  Device& device_;
  std::optional<DeviceReduction> reduction_;  // only if there are several ranks
  std::optional<StepWork> work_;
  Machine machine_;
  Hooks hooks_;
  std::vector<Floats> parameters_;
  std::vector<std::vector<State>> states_;              // per player; the last one is its average, if any
  std::vector<std::unique_ptr<UpdateRunner>> runners_;  // per player; null if it does not learn
  Floats coefficients_, table_;
  Floats numbers_;  // of this step: those of each player's update, then the average's share
  Floats values_, their_coefficients_, sums_,
      bad_;  // for the terms: pointers, pointers, doubles, step numbers
  Floats one_, zero_;
  std::map<Place, Resident> columns_;
  std::map<Place, Drawn> drawn_;  // rows of run(...)
  uint64_t step_of_draws_ = 0;
  std::map<size_t, Kind> kinds_;
  size_t kind_ = 0;  // the kind of the last step
  int64_t table_begin_ = 0;
  Kind* counting_ = nullptr;  // the kind whose first step is being executed: its updates are counted
};

}  // namespace core
