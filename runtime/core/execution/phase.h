// A phase of a learning step, ready to run. It is compiled whole: its programs are loaded, share memory, and
// pass tensors on in place. A run draws the rows, runs the Gibbs chains, marks which tagged terms count in
// this step, and lets the last program add up the terms and update the players. If rows miss variables, the
// phase is a PatternPhase (pattern_phase.h).
#pragma once
#include <map>
#include <memory>
#include <vector>

#include "runtime/core/execution/session.h"

namespace core {

class LearningPhase {
 public:
  LearningPhase() = default;
  LearningPhase(const LearningPhase&) = delete;
  virtual ~LearningPhase() = default;
  virtual void run(uint64_t seed, uint64_t step, const Hooks& hooks) = 0;
  /// Whether it has Gibbs chains, whose programs run in an order that is drawn for each step.
  virtual bool has_chains() const { return false; }

  struct Term {
    std::string name;  // player.variable@source; shared: anything@source
    /// After a run: the log-density, summed over the source's batch.
    const float* sum;
    /// Points to 0 if the term counts as zero in this step; or null.
    const float* coefficient;
    /// Whether all players maximize the term, `factor` times. Otherwise, only its own player does.
    bool shared = false;
    double factor = 1;
  };
  virtual std::vector<Term> terms() const = 0;
};

class PhaseRunner : public LearningPhase {
 public:
  /// `source_rows`: the batch of every source. `memory`: at least scratch() floats of the machine, shared
  /// with phases that never run at the same time.
  PhaseRunner(Session& session, const Machine& machine, const Phase& phase,
              const std::vector<int64_t>& source_rows, const std::shared_ptr<Floats>& memory);
  /// The phase must outlive the runner.
  PhaseRunner(Session& session, const Machine& machine, Phase&& phase,
              const std::vector<int64_t>& source_rows, const std::shared_ptr<Floats>& memory) = delete;

  /// Floats that the largest of the phase's programs needs.
  static int64_t scratch(const Image& image, const Phase& phase, const std::vector<int64_t>& source_rows,
                         bool on_device);
  /// Opens every column that the phase gathers.
  static void open(Session& session, const Phase& phase);

  /// From now on the batch of each source begins at this row of the whole batch.
  void begin_at(const std::vector<int64_t>& first_rows);

  void run(uint64_t seed, uint64_t step, const Hooks& hooks) override;
  bool has_chains() const override;
  std::vector<Term> terms() const override;

 private:
  struct Part {
    const GibbsChain* chain;
    std::vector<Executor> parts;
    /// By the order of the parts; only for chains of few parts
    std::map<std::vector<int>, Device::Recording> swept;
  };
  struct Step {
    std::unique_ptr<Executor> program;
    std::vector<Part> chains;
  };
  const Tag* tag_of(const std::string& term) const;
  void run(Part& chain, uint64_t seed, uint64_t step, const Hooks& hooks);

  Session& session_;
  const Machine& machine_;
  const Phase& phase_;
  Carried carried_;
  std::vector<Step> stages_;
  std::unique_ptr<Executor> last_;
};

/// Up to this many parts, a device records and replays a whole sweep for each possible order.
constexpr size_t few_parts = 3;

/// The order of the parts in a sweep, drawn at `site` with the sweep's step number (runtime/image.md).
std::vector<int> sweep_order(size_t parts, uint32_t site, uint64_t seed, uint64_t sweep_step);

/// The step number of a sweep's random draws.
inline uint64_t sweep_step(uint64_t step, uint64_t sweep) { return step + (sweep << 32); }

}  // namespace core
