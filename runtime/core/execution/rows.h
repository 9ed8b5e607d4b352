// The rows of the sources. A column is opened when a program first needs it. Rows are then gathered at random
// (training) or in order (evaluation); the next rows of streamed columns are read ahead. Columns of one
// source share their rows, so their counts must agree (bad_data). A row with a missing value misses that
// variable. Rows of another trained model are drawn when they are asked for; a peer's rows are the newest
// that came.
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
  int64_t count = 0;  // rows.size(); or the number of all rows of the source, if `rows` is empty
  int64_t row(int64_t i) const { return rows.empty() ? i : rows[static_cast<size_t>(i)]; }
};

/// A pattern's part of its source's batch and weight.
struct PatternPart {
  double share = 1;  // share of the source's rows
  int64_t rows = 0;  // rows of the batch
};
/// Divides the batch by the patterns' shares of the source's rows, with at least one row each. A source
/// without data has one part: the whole batch.
std::vector<PatternPart> apportion(const std::vector<Pattern>& patterns, int64_t batch);

/// Rows [first, first + rows) of the `all` rows that a batch of the source has of a pattern. `place`: the
/// position of the pattern's first row in the batch.
struct BatchRows {
  int64_t place = 0, first = 0, rows = 0, all = 0;
};

class Peers;

class Rows {
  struct Simulated;

 public:
  explicit Rows(const Image& image);
  ~Rows();

  /// Sets where columns of peers are read from. Without it, gathering such a column is a
  /// Failure(bad_configuration).
  void set_peers(Peers* peers) { peers_ = peers; }

  /// The words that number the classes of each variable: those that it names, or that its data hold.
  using Words = std::map<int, std::vector<std::string>>;
  const Words& words() const { return words_; }
  /// The words of a trained run. Data of other words are refused from now on.
  void keep_words(Words words) { words_ = std::move(words); }

  /// Opens every column that this program gathers. Failure(bad_data) if the words of two columns of a
  /// variable differ, which would number its classes in two ways.
  void open(const Program& program);
  /// The rows that miss nothing. The reference is valid until another column of the source is opened.
  const Pattern& whole(int source) const;
  /// How many rows miss nothing, for a source whose columns are open; 0 if there are none.
  int64_t count(int source) const;
  /// Whether the source has rows, but each of them misses something.
  bool misses_all(int source) const;
  /// The patterns of the source's rows, in ascending order of the missing variables. Every row is in one
  /// pattern. If the source has no columns: one pattern that misses nothing.
  std::vector<Pattern> patterns(int source) const;

  /// For row r of the batch, gathers the row that philox_row gives, among those that miss nothing.
  void gather_random(int column, int source, uint64_t seed, uint64_t step, const BatchRows& rows, float* to);
  void gather_random(int column, int source, uint64_t seed, uint64_t step, int64_t rows, float* to) {
    gather_random(column, source, seed, step, BatchRows{0, 0, rows, rows}, to);
  }
  /// The same among the pattern's rows.
  void gather_random(int column, int source, const Pattern& pattern, uint64_t seed, uint64_t step,
                     const BatchRows& rows, float* to);
  /// Gathers the source's rows that miss nothing, in order from `first`. After the last row it begins again.
  void gather_in_order(int column, int source, int64_t first, int64_t rows, float* to);
  /// The same among the pattern's rows.
  void gather_in_order(int column, int source, const Pattern& pattern, int64_t first, int64_t rows,
                       float* to);

  /// What the opened columns are, in an order that is the same for every rank: "source images, column image":
  /// "60000 rows of 784 numbers".
  std::vector<std::pair<std::string, std::string>> shapes() const;

  /// Notes that rows of this source were asked for, and that rows that miss something are left out.
  void note_left_out(int source);
  /// A line for each source noted since the last call: `source held: 3 of its 10 rows have missing values and
  /// ...`.
  std::vector<std::string> take_notes();

 private:
  void require_same_words(const DataColumn& column, const data::Population& population);
  void gather(int column, float* to);
  void expect_random(int column, int source, const Pattern& pattern, uint64_t seed, uint64_t step,
                     int64_t place, int64_t rows);
  Simulated* simulated(int column) const;
  /// Gathers rows of another model. All columns of a source that ask for the same place get the same rows.
  void gather_simulated(Simulated& other, int column, int source, uint64_t seed, uint64_t step,
                        const BatchRows& rows, float* to);

  /// The rows that a peer's column has now, or null for another column.
  const data::Population* peer_rows(int column) const;

  const Image& image_;
  Peers* peers_ = nullptr;
  data::Context context_;
  std::map<int, data::Population> columns_;
  std::map<int, int64_t> counts_;  // per source
  Words words_;
  std::set<int> written_numbers_;  // variables whose classes are numbers in a text file
  std::map<std::tuple<int, int, int64_t>, uint64_t> told_;
  std::map<int, std::set<int>> source_columns_;
  std::set<int> noted_;
  std::vector<std::string> notes_;
  mutable std::map<int, Pattern> whole_;                         // per source: its rows that miss nothing
  std::map<std::string, std::unique_ptr<Simulated>> simulated_;  // by the text of the expression's run(...)
  std::vector<int64_t> chosen_;
};

}  // namespace core
