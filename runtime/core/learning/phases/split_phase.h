// Phases that are compiled whole, for sources whose rows have missing values. Each pattern of missing
// variables that the compiler foresaw is a source of its own, called a split. The patterns that occur divide
// their source's batch and weight by their shares of its rows, at least one row each.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/core/execution/phase.h"
#include "runtime/core/learning/settings/settings.h"
#include "runtime/core/ranks/row_share.h"

namespace core {

/// Whether the phases of the learn block are compiled whole: bounds, `supervised`, and `symmetric` with sums.
/// The steps of other learn blocks are composed when a run starts (pattern_phase.h).
bool is_compiled_whole(const Learn& learn);

/// Which rows each source and split has in a step.
class SplitRows {
 public:
  /// Failure(bad_configuration) if rows have a pattern that the learn block does not admit, or that the
  /// compiler did not foresee.
  SplitRows(Session& session, const Learn& learn, const Settings& settings);

  const std::vector<Phase>& phases(const std::string& order) const;
  /// For each source, then each split. shares(): the rows of its batch that this rank computes; one row,
  /// which does not count, if there are none. coefficients(): its weight / rows of the whole batch, or 0 if
  /// no row counts.
  const std::vector<RowShare>& shares() const { return shares_; }
  std::vector<double> coefficients(const std::function<double(int source)>& weight_of) const;
  /// The patterns from which nothing is learned, one line each.
  const std::vector<std::string>& notes() const { return notes_; }

  /// The rows that the terms of a source or split are computed from.
  struct Share {
    int source = -1;
    int64_t rows = 0;     // of the whole batch
    double of_batch = 0;  // share of the source's rows; 0: it has no rows
    bool counts = true;   // whether this rank computes any of them
  };
  Share share(const std::string& name) const;

  /// Gathers rows of the pattern that belongs to the program's source. If no rows belong to it, any rows that
  /// have the column.
  void gather(const Hooks& hooks, int column, int source, int64_t rows, float* to) const;

 private:
  struct Rows {
    Pattern pattern;
    int64_t place = 0;  // the position of its first row in the source's batch
    double share = 0;
  };
  void place(int source, int64_t batch);
  int index_of(int source, const Pattern& pattern);
  /// The source whose rows are at this index of `rows()`.
  int source_of(int index) const;
  [[noreturn]] void refuse(int source, const Pattern& pattern, const std::string& why) const;

  Session& session_;
  const Learn& learn_;
  std::vector<int64_t> rows_;  // of the whole batch
  std::vector<RowShare> shares_;
  std::map<int, Rows> placed_;                     // by index of the source or split
  std::map<int, std::vector<Pattern>> of_source_;  // all patterns of each source
  std::vector<std::string> notes_;
};

class SplitPhase : public LearningPhase {
 public:
  SplitPhase(Session& session, const Machine& machine, const Phase& phase, const SplitRows& rows,
             const std::shared_ptr<Floats>& memory);
  void run(uint64_t seed, uint64_t step, const Hooks& hooks) override;
  bool has_chains() const override { return runner_.has_chains(); }
  /// Only the terms of sources and splits that have rows.
  std::vector<Term> terms() const override;

 private:
  const SplitRows& rows_;
  PhaseRunner runner_;
};

}  // namespace core
