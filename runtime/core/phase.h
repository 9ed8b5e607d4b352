// A phase of a learning step, ready to run: its programs loaded, their memory shared, what one hands to the
// next in place. A run draws the rows, runs the Gibbs chains, marks which tagged terms count in this step,
// and lets the last program add the terms up and update the players.
#pragma once
#include <memory>
#include <vector>

#include "runtime/core/session.h"

namespace core {

class PhaseRunner {
 public:
  /// `source_rows`: the batch of every source. `memory`: at least scratch() floats, shared with phases that
  /// never run at once.
  PhaseRunner(Session& session, const Phase& phase, const std::vector<int64_t>& source_rows,
              const std::shared_ptr<Floats>& memory);

  /// Floats that the largest of the phase's programs needs.
  static int64_t scratch(const Image& image, const Phase& phase, const std::vector<int64_t>& source_rows);
  /// Opens every column that the phase gathers.
  static void open(Session& session, const Phase& phase);

  void run(uint64_t seed, uint64_t step, const Hooks& hooks);

  /// The last program's: the terms.
  const std::map<std::string, Executor::Tensor>& outputs() const { return last_->outputs(); }
  /// The term's tag, or none.
  const Tag* tag_of(const std::string& term) const;

 private:
  struct Part {
    const GibbsChain* chain;
    std::vector<Executor> parts;
  };
  struct Step {
    std::unique_ptr<Executor> program;
    std::vector<Part> chains;
  };
  void run(Part& chain, uint64_t seed, uint64_t step, const Hooks& hooks);

  Session& session_;
  const Phase& phase_;
  Carried carried_;
  std::vector<Step> stages_;
  std::unique_ptr<Executor> last_;
};

/// The parts' order in sweep `sweep` (from 1) of a chain: runtime/image.md.
std::vector<int> sweep_order(const GibbsChain& chain, uint64_t seed, uint64_t step, uint64_t sweep);

/// The step number of a sweep's random draws.
inline uint64_t sweep_step(uint64_t step, uint64_t sweep) { return step + (sweep << 32); }

}  // namespace core
