// Learning on a GPU. In: a device, and the phases of a step, loaded on machine(). Parameters, the optimizers'
// state, the sources' rows and the sums of the terms are in the device's memory, so a step needs nothing of
// the host except rows of other models. Each kind of step is recorded once and replayed. With Gibbs chains,
// whose order is drawn anew, single sweeps are replayed. The host's parameters and states are those of the
// last put() or fetch().
#pragma once
#include <map>
#include <memory>
#include <span>
#include <tuple>
#include <vector>

#include "runtime/core/execution/phase.h"
#include "runtime/core/learning/average.h"
#include "runtime/core/learning/optimizer.h"
#include "runtime/core/learning/settings/settings.h"

namespace core {

class DeviceLearner {
 public:
  /// The session must have a device. `average`, if not null, is updated after each step.
  DeviceLearner(Session& session, const Settings& settings, std::vector<Optimizer>& optimizers,
                Average* average);

  const Machine& machine() const { return machine_; }

  /// From now on, sums of these terms are kept; `coefficient` as in LearningPhase::Term. A step computes only
  /// the terms of its kind. The terms are in the order of their kinds.
  struct Observed {
    const float *sum, *coefficient;
    size_t kind = 0;
  };
  void observe(const std::vector<Observed>& terms);

  /// Uploads the host's parameters, states and coefficients. The device then stands before step `step`.
  void put(int64_t step);
  /// Downloads the parameters and states.
  void fetch();
  using Phases = std::span<const std::unique_ptr<LearningPhase>>;
  /// Enqueues the step. Its phases must be the same in all steps of its kind.
  void do_step(int64_t step, Phases phases, size_t kind = 0);
  /// Enqueues the phase, with the batch and draws of number `batch`, before step `step`. Updates nothing.
  void look(int64_t step, uint64_t batch, LearningPhase& phase);
  /// Call it when the session's coefficients have changed.
  void put_coefficients() { hooks_.coefficients_changed(); }
  /// The value of a term, given its `sum`. Waits for the last step.
  float value(const float* sum);

  struct Sum {
    double sum;
    int64_t first_bad;  // the first step after which the term was not finite; 0: none
  };
  /// The sums of the steps since the last call, in the order of observe().
  std::vector<Sum> take_sums();

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
    int64_t count;
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

  /// Gathers rows on the device, as the host would do for a program.
  void gather(const Place& place, const Pattern& pattern, int64_t rows, float* to);
  const Resident& resident(const Place& place, const Pattern& pattern);
  const Drawn& drawn(const Place& place, int64_t rows);
  void draw(const Place& place, Drawn& drawn);
  /// Draws the rows of that step that only the host can draw.
  void draw_rows(uint64_t step);
  void update(int player, const float* gradient);
  void add_to_average();
  void fill_table(int64_t step);
  const float* on_device(const float* coefficient) const;

  Session& session_;
  const Settings& settings_;
  std::vector<Optimizer>& optimizers_;
  Device& device_;
  Machine machine_;
  Hooks hooks_;
  std::vector<Floats> parameters_;
  std::vector<std::vector<State>> states_;              // per player
  std::vector<std::unique_ptr<UpdateRunner>> runners_;  // per player; null if it does not learn
  Average* average_;
  Floats coefficients_, table_;
  Floats numbers_;  // of this step: those of each player's update, then the average's share
  Floats values_, their_coefficients_, sums_,
      bad_;  // for the terms: pointers, pointers, doubles, step numbers
  Floats one_;
  std::map<Place, Resident> columns_;
  std::map<Place, Drawn> drawn_;  // rows of run(...)
  uint64_t step_of_draws_ = 0;
  std::map<size_t, Kind> kinds_;
  size_t kind_ = 0;  // the kind of the last step
  int64_t terms_ = 0, table_begin_ = 0;
  Kind* counting_ = nullptr;  // the kind whose first step is being executed: its updates are counted
};

}  // namespace core
