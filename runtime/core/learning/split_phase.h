// Phases that are compiled whole, over sources whose rows have missing values: each pattern of missing
// variables that the compiler foresaw is a source of its own (a split). The patterns that the rows have share
// their source's batch and weight by their shares of its rows, one row at least.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/core/learning/settings.h"
#include "runtime/core/phase.h"

namespace core {

/// Bounds, `supervised`, and `symmetric` with sums. The steps of the others are composed when a run starts
/// (pattern_phase.h).
bool is_compiled_whole(const Learn& learn);

/// Who has which rows in a step.
class SplitRows {
 public:
  /// Failure(bad_configuration): rows of a pattern that the learn block does not admit, or that the compiler
  /// did not foresee.
  SplitRows(Session& session, const Learn& learn, const Settings& settings);

  const std::vector<Phase>& phases(const std::string& order) const;
  /// Per source, then per split: the rows of its batch, 1 where no row is its own; weight / rows, then 0.
  const std::vector<int64_t>& rows() const { return rows_; }
  std::vector<double> coefficients(const std::function<double(int source)>& weight_of) const;
  /// Patterns that nothing is learned from, a line each.
  const std::vector<std::string>& notes() const { return notes_; }

  /// What the terms of a source or split are of.
  struct Share {
    int source = -1;
    int64_t rows = 0;
    double of_batch = 0;  // its share of the source's rows; 0: it has none
  };
  Share share(const std::string& name) const;

  /// Gathers for a program's source by the pattern that it has; where it has none, by any with the column.
  void gather(const Hooks& hooks, int column, int source, int64_t rows, float* to) const;

 private:
  struct Rows {
    Pattern pattern;
    int64_t place = 0;  // of its first row in the source's batch
    double share = 0;
  };
  void place(int source, int64_t batch);
  int index_of(int source, const Pattern& pattern);
  /// Whose rows those at an index of `rows()` are.
  int source_of(int index) const;
  [[noreturn]] void refuse(int source, const Pattern& pattern, const std::string& why) const;

  Session& session_;
  const Learn& learn_;
  std::vector<int64_t> rows_;
  std::map<int, Rows> placed_;                     // by source or split
  std::map<int, std::vector<Pattern>> of_source_;  // all patterns
  std::vector<std::string> notes_;
};

class SplitPhase : public LearningPhase {
 public:
  SplitPhase(Session& session, const Machine& machine, const Phase& phase, const SplitRows& rows,
             const std::shared_ptr<Floats>& memory);
  void run(uint64_t seed, uint64_t step, const Hooks& hooks) override;
  bool has_chains() const override { return runner_.has_chains(); }
  /// Of the sources and splits that have rows.
  std::vector<Term> terms() const override;

 private:
  const SplitRows& rows_;
  PhaseRunner runner_;
};

}  // namespace core
