// A learning phase over sources whose rows miss some of their variables. Each pattern of missing variables is
// a source of its own to the game: it is completed, and has terms, as its known variables say; the patterns
// share their source's batch and weight by their shares of its rows, one row at least. Composed when the run
// starts, from the conditionals' own draws and terms.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/completion/completion.h"
#include "runtime/core/phase.h"

namespace core {

/// What a learn block draws from: sources with the rows and weight of their batches.
struct PatternRequest {
  struct OfSource {
    int source = -1;
    int64_t batch = 0;
  };
  std::vector<OfSource> sources;
  std::set<int> frozen;  // players that do not learn
  std::string asked_by;  // the flag that says so, for messages
};

/// The patterns of all sources, loaded; shared by the phases of a run.
class PatternGame {
 public:
  /// Failure(bad_data) where a pattern's completion is ambiguous, or no row has a term.
  PatternGame(Session& session, const Machine& machine, const PatternRequest& request);

  /// What the user should know: patterns that nothing is learned from.
  const std::vector<std::string>& notes() const { return notes_; }
  /// What the terms of each source count, in place of the source's own weight. Between steps.
  void set_weights(const std::function<double(int source)>& weight_of);
  /// Players with terms, in declaration order.
  std::vector<int> players() const;

 private:
  friend class PatternPhase;
  /// Work that is the same in every step, and how many programs it runs.
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
    std::vector<Part> parts;  // one, unless a chain
    std::vector<std::unique_ptr<Executor>> starts;
    int sweeps = 0;  // of a chain
    Repeated started;
    std::map<std::vector<int>, Repeated> swept;  // by the order of the parts
    /// Its parts' order is drawn anew in each step.
    bool is_shuffled() const { return parts.size() > 1; }
  };
  struct Term {
    int conditional;
    std::string name;  // player.variable@source
    std::unique_ptr<Executor> program;
    const float* sum;
    double scale;              // from this pattern's rows to the source's batch
    int step = -1, part = -1;  // that draw its target in a chain
    std::vector<int> redrawn_by;
    bool counts = true;  // in this step
    Repeated added;
  };
  struct OfPattern {
    int source;
    Pattern pattern;
    int64_t first_place, rows;
    double row_share;    // of the source's weight: what one row counts
    Floats coefficient;  // one
    Machine machine;     // with this coefficient
    Carried values;
    std::unique_ptr<Executor> gather;
    Repeated gathered;
    std::vector<Step> steps;
    std::vector<Term> terms;
    bool has_chains() const;
  };

  bool add(int source, Pattern pattern, const completion::Players& players, int64_t first_place, int64_t rows,
           int64_t batch, double share);
  void load(OfPattern& entry, const completion::Players& players, const completion::Completion& completed,
            const completion::Terms& terms, double scale);
  void share_memory(const PatternRequest& request);
  std::unique_ptr<Executor> executor(OfPattern& entry, int program);
  std::string rows_text(int source, const Pattern& pattern) const;
  int64_t runs_of(const OfPattern& entry) const;

  Session& session_;
  const Machine& machine_;
  std::set<int> frozen_;
  std::shared_ptr<Floats> memory_;  // scratch of all programs
  std::deque<OfPattern> patterns_;
  std::vector<std::string> notes_;
};

class PatternPhase : public LearningPhase {
 public:
  /// The terms of `players`. `first_run`: how many programs the phases before run in a step.
  PatternPhase(Session& session, PatternGame& game, std::vector<int> players, int64_t first_run);

  void run(uint64_t seed, uint64_t step, const Hooks& hooks) override;
  bool has_chains() const override;
  std::vector<Term> terms() const override;
  /// Programs run in a step, at most.
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
  std::map<std::string, int64_t> names_;  // of terms: where their sums stand
  Floats sums_;
  std::map<const PatternGame::OfPattern*, PatternGame::Repeated> learned_;  // without chains
};

}  // namespace core
