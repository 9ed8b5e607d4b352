// The rows of the sources: columns opened when a program first needs them, then gathered at random (training)
// or in order (evaluation); of columns that are streamed the next rows are read ahead. Columns of one source
// share their rows, so their counts must agree (bad_data).
#pragma once
#include <map>
#include <memory>
#include <vector>

#include "runtime/core/image.h"
#include "runtime/data/population.h"

namespace core {

class Rows {
 public:
  explicit Rows(const Image& image);

  /// Opens every column that this program gathers.
  void open(const Program& program);
  /// Of a source whose columns are open; 0 where it has none.
  int64_t count(int source) const;

  /// Row r of the batch is the row that philox_row gives.
  void gather_random(int column, int source, uint64_t seed, uint64_t step, int64_t rows, float* to);
  /// The source's rows from `first`, beginning again at its end.
  void gather_in_order(int column, int source, int64_t first, int64_t rows, float* to);

 private:
  void gather(int column, float* to);
  void expect_random(int column, int source, uint64_t seed, uint64_t step, int64_t rows);

  const Image& image_;
  data::Context context_;
  std::map<int, data::Population> columns_;
  std::map<int, int64_t> counts_;  // per source
  std::map<std::pair<int, int>, uint64_t> told_;
  std::vector<int64_t> chosen_;
};

}  // namespace core
