// A learning phase over sources whose rows miss some of their variables. To the game, each pattern of missing
// variables is a source of its own: its known variables decide how it is completed and which terms it has.
// The patterns divide their source's batch and weight by their shares of its rows, at least one row each. The
// phase is composed when the run starts, from the draws and terms of single conditionals.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/completion/completion.h"
#include "runtime/core/execution/phase.h"
#include "runtime/core/ranks/row_share.h"

namespace core {

/// What a learn block draws from: its sources, with the sizes of their batches.
struct PatternRequest {
  struct OfSource {
    int source = -1;
    int64_t batch = 0;
  };
  std::vector<OfSource> sources;
  std::set<int> frozen;  // players that do not learn
  std::string asked_by;  // the flag that asks for this, for messages
};

/// The patterns of all sources, loaded. The phases of a run share them.
class PatternGame {
 public:
  /// Failure(bad_data) if a pattern's completion is ambiguous, or if no row has a term.
  PatternGame(Session& session, const Machine& machine, const PatternRequest& request);

  /// What the user should know: the patterns from which nothing is learned.
  const std::vector<std::string>& notes() const { return notes_; }
  /// Sets the weight of each source's terms, in place of the source's own weight. Only between steps.
  void set_weights(const std::function<double(int source)>& weight_of);
  /// The players that have terms, in declaration order.
  std::vector<int> players() const;

 private:
  friend class PatternPhase;
  /// Work that is the same in every step, and the number of programs that it runs.
  struct Repeated {
    Device::Recording recording;
    uint64_t runs = 0;
  };
  struct Drawn {
    int conditional;
    std::unique_ptr<Executor> draw;
  };
  struct Part {
    std::vector<Drawn> draws;  // of one player, parents first
  };
  struct Step {
    std::vector<Part> parts;  // one part, unless it is a chain
    std::vector<std::unique_ptr<Executor>> starts;
    int sweeps = 0;  // only for a chain
    Repeated started;
    std::map<std::vector<int>, Repeated> swept;  // by the order of the parts
    /// Whether the order of its parts is drawn at random.
    bool is_shuffled() const { return parts.size() > 1; }
  };
  struct Term {
    int conditional;
    std::string name;  // player.variable@source
    std::unique_ptr<Executor> program;
    const float* sum;
    double scale;              // factor from this pattern's rows to the source's batch
    int step = -1, part = -1;  // the step and part that draw its target, if that is in a chain
    std::vector<int> redrawn_by;
    bool counts = true;  // whether it counts in this step
    Repeated added;
  };
  struct OfPattern {
    int source;
    Pattern pattern;
    int64_t first_place, all;  // of its rows in the source's batch
    RowShare share;            // of these rows, what this rank computes
    double row_share;          // the part of the source's weight with which one row counts
    Floats coefficient;        // one number
    Machine machine;           // with this coefficient
    Carried values;
    std::unique_ptr<Executor> gather;
    Repeated gathered;
    std::vector<Step> steps;
    std::vector<Term> terms;
    bool has_chains() const;
  };

  bool add(int source, Pattern pattern, const completion::Players& players, int64_t first_place, int64_t rows,
           int64_t batch, double share);
  /// The weight of one row of the pattern here; 0 if no row counts.
  static float coefficient_of(const OfPattern& entry, double weight) {
    return entry.share.counts ? static_cast<float>(weight * entry.row_share) : 0.0F;
  }
  void load(OfPattern& entry, const completion::Players& players, const completion::Completion& completed,
            const completion::Terms& terms, double scale);
  void share_memory(const PatternRequest& request);
  std::unique_ptr<Executor> executor(OfPattern& entry, int program);
  std::string rows_text(int source, const Pattern& pattern) const;
  int64_t runs_of(const OfPattern& entry) const;

  Session& session_;
  const Machine& machine_;
  std::set<int> frozen_;
  std::shared_ptr<Floats> memory_;  // scratch memory of all programs
  std::deque<OfPattern> patterns_;
  std::vector<std::string> notes_;
};

class PatternPhase : public LearningPhase {
 public:
  /// Learns the terms of `players`. `first_run`: how many programs the earlier phases run in a step.
  PatternPhase(Session& session, PatternGame& game, std::vector<int> players, int64_t first_run);

  void run(uint64_t seed, uint64_t step, const Hooks& hooks) override;
  bool has_chains() const override;
  std::vector<Term> terms() const override;
  /// How many programs run in a step, at most.
  int64_t runs() const;

 private:
  bool concerns(const PatternGame::OfPattern& entry) const;
  bool mine(const PatternGame::Term& term) const;
  void learn(PatternGame::OfPattern& entry, uint64_t seed, uint64_t step, const Hooks& hooks);
  void complete(PatternGame::OfPattern& entry, uint64_t seed, uint64_t step, const Hooks& hooks);
  void run(const Executor& program, uint64_t seed, uint64_t step, const Hooks& hooks);
  void repeat(PatternGame::Repeated& repeated, const std::function<void()>& work);

  Session& session_;
  PatternGame& game_;
  std::set<int> players_;
  uint64_t first_run_, run_ = 0;
  std::map<int, Floats> gradients_;       // per player
  std::map<std::string, int64_t> names_;  // the places of the terms' sums, by term
  Floats sums_;
  /// Only for patterns without chains
  std::map<const PatternGame::OfPattern*, PatternGame::Repeated> learned_;
};

}  // namespace core
