// The rows of the sources: columns opened when a program first needs them, then gathered at random (training)
// or in order (evaluation); of columns that are streamed the next rows are read ahead. Columns of one source
// share their rows, so their counts must agree (bad_data). A row with a missing value misses that variable.
// Rows of another trained model are drawn when they are asked for; those of a peer are the newest that came.
#pragma once
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <vector>

#include "runtime/core/image.h"
#include "runtime/data/population.h"

namespace core {

/// The rows of a source that miss the same variables.
struct Pattern {
  std::set<int> missing;
  std::vector<int64_t> rows;
  int64_t count = 0;  // rows.size(); or all rows of the source, where `rows` is empty
  int64_t row(int64_t i) const { return rows.empty() ? i : rows[static_cast<size_t>(i)]; }
};

/// What a pattern has of its source's batch and weight.
struct PatternPart {
  double share = 1;  // of the source's rows
  int64_t rows = 0;  // of the batch
};
/// By their shares of the source's rows, one row at least; all of the batch for a source without data.
std::vector<PatternPart> apportion(const std::vector<Pattern>& patterns, int64_t batch);

class Peers;

class Rows {
  struct Simulated;

 public:
  explicit Rows(const Image& image);
  ~Rows();

  /// Where columns of peers are read from now on; else Failure(bad_configuration) where one is gathered.
  void set_peers(Peers* peers) { peers_ = peers; }

  /// Opens every column that this program gathers.
  void open(const Program& program);
  /// The rows that miss nothing; until another column of the source is opened.
  const Pattern& whole(int source) const;
  /// Their number, of a source whose columns are open; 0 where it has none.
  int64_t count(int source) const;
  /// It has rows, and each misses something.
  bool misses_all(int source) const;
  /// Which variables its rows miss, and in which rows: ascending in the variables, all rows together. One
  /// pattern that misses nothing where the source has no columns.
  std::vector<Pattern> patterns(int source) const;

  /// Row r of the batch is the row that philox_row gives, among those that miss nothing.
  void gather_random(int column, int source, uint64_t seed, uint64_t step, int64_t rows, float* to);
  /// The same among the pattern's rows; `place` is that of the first row in the source's batch.
  void gather_random(int column, int source, const Pattern& pattern, uint64_t seed, uint64_t step,
                     int64_t place, int64_t rows, float* to);
  /// The source's rows that miss nothing from `first`, beginning again at their end.
  void gather_in_order(int column, int source, int64_t first, int64_t rows, float* to);
  /// The same of the pattern's rows.
  void gather_in_order(int column, int source, const Pattern& pattern, int64_t first, int64_t rows,
                       float* to);

  /// Marks that rows of this source were asked for of which those that miss something are left out.
  void note_left_out(int source);
  /// Of sources marked since the last time, once each: `source held: 3 of its 10 rows miss values and ...`.
  std::vector<std::string> take_notes();

 private:
  void gather(int column, float* to);
  void expect_random(int column, int source, const Pattern& pattern, uint64_t seed, uint64_t step,
                     int64_t place, int64_t rows);
  Simulated* simulated(int column) const;
  /// Rows of another model, the same for all columns of a source that ask for them at one place.
  void gather_simulated(Simulated& other, int column, int source, uint64_t seed, uint64_t step, int64_t place,
                        int64_t rows, float* to);

  /// The rows that a peer's column has now, or null for another column.
  const data::Population* peer_rows(int column) const;

  const Image& image_;
  Peers* peers_ = nullptr;
  data::Context context_;
  std::map<int, data::Population> columns_;
  std::map<int, int64_t> counts_;  // per source
  std::map<std::tuple<int, int, int64_t>, uint64_t> told_;
  std::map<int, std::set<int>> source_columns_;
  std::set<int> noted_;
  std::vector<std::string> notes_;
  mutable std::map<int, Pattern> whole_;                         // per source: its rows that miss nothing
  std::map<std::string, std::unique_ptr<Simulated>> simulated_;  // by the run(...) of the expression
  std::vector<int64_t> chosen_;
};

}  // namespace core
