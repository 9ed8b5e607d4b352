// Learning on a GPU. In: a device, the phases of a step, loaded on machine(). Holds parameters, the
// optimizers' state, the sources' rows and the sums of the terms in the device's memory, so that a step asks
// nothing of the host but rows of other models: it is recorded once for each kind of step and replayed; with
// Gibbs chains, whose order is drawn anew, sweep by sweep. The host has the parameters and states of the
// last put() or fetch().
#pragma once
#include <map>
#include <memory>
#include <span>
#include <tuple>
#include <vector>

#include "runtime/core/learning/average.h"
#include "runtime/core/learning/optimizer.h"
#include "runtime/core/learning/settings.h"
#include "runtime/core/phase.h"

namespace core {

class DeviceLearner {
 public:
  /// The session has a device.
  /// `average`, or null, is added to after each step.
  DeviceLearner(Session& session, const Settings& settings, std::vector<Optimizer>& optimizers,
                Average* average);

  const Machine& machine() const { return machine_; }

  /// Sums of these are kept from now on; `coefficient` as in LearningPhase::Term. A step computes the terms
  /// of its kind; in the order of kinds.
  struct Observed {
    const float *sum, *coefficient;
    size_t kind = 0;
  };
  void observe(const std::vector<Observed>& terms);

  /// The host's parameters, states and coefficients go to the device, which stands before step `step`.
  void put(int64_t step);
  /// They come back.
  void fetch();
  using Phases = std::span<const std::unique_ptr<LearningPhase>>;
  /// Enqueues the step, whose phases are the same in all steps of its kind.
  void do_step(int64_t step, Phases phases, size_t kind = 0);
  /// Enqueues the phase for the batch and the draws of that step, before step `step`; updates nothing.
  void look(int64_t step, uint64_t batch, LearningPhase& phase);
  /// The session's coefficients have changed.
  void put_coefficients() { hooks_.coefficients_changed(); }
  /// Waits for the last step; `sum` is a term's.
  float value(const float* sum);

  struct Sum {
    double sum;
    int64_t first_bad;  // the first step after which the term was not finite; 0: none
  };
  /// Of the steps since the last call, in the order of observe().
  std::vector<Sum> take_sums();

 private:
  /// Steps that do the same.
  struct Kind {
    int64_t first_term = 0, terms = 0;
    std::map<int, int> updates;  // per player
    Device::Recording recording;
  };
  struct Resident {
    Floats rows;
    int64_t count, width;
  };
  /// Of another model, drawn by the host before each step.
  struct Drawn {
    Floats rows;
    int64_t count;
    std::vector<float> host;
  };
  struct State {
    float* host;
    Floats device;
  };

  /// Whose rows: column, source, and the place of the first of them in the source's batch.
  struct Place {
    int column, source;
    int64_t first;
    /// The columns of the same rows together: another model draws them once.
    bool operator<(const Place& other) const {
      return std::tie(source, first, column) < std::tie(other.source, other.first, other.column);
    }
  };

  /// What the host would do for a program.
  void gather(const Place& place, const Pattern& pattern, int64_t rows, float* to);
  const Resident& resident(const Place& place, const Pattern& pattern);
  const Drawn& drawn(const Place& place, int64_t rows);
  void draw(const Place& place, Drawn& drawn);
  /// The rows that the host draws for that step.
  void draw_rows(uint64_t step);
  void update(int player, const float* gradient);
  double clip_of(int player) const;
  void clip_gradient(int player, const float* gradient);
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
  std::vector<std::vector<State>> states_;  // per player
  Average* average_;
  Floats coefficients_, table_, numbers_, scales_, partials_;
  Floats values_, their_coefficients_, sums_,
      bad_;  // of the terms: pointers, pointers, doubles, step numbers
  Floats one_;
  std::map<Place, Resident> columns_;
  std::map<Place, Drawn> drawn_;  // of run(...)
  uint64_t step_of_draws_ = 0;
  std::map<size_t, Kind> kinds_;
  size_t kind_ = 0;  // of the last step
  int64_t terms_ = 0, table_begin_ = 0;
  Kind* counting_ = nullptr;  // whose first step is being done: updates are counted
};

}  // namespace core
