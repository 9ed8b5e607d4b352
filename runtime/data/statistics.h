// The statistics by which `normalize` moves and scales a table: mean and standard deviation of each element
// over the rows.
#pragma once
#include <string>
#include <vector>

#include "runtime/data/table.h"

namespace data {

struct ColumnStatistics {
  std::string name;
  Shape shape;                            // of a row
  std::vector<double> means, deviations;  // one per element; a constant's deviation is 1
};

/// Of each column; without numbers where a column has none, or an infinity.
using TableStatistics = std::vector<ColumnStatistics>;

/// In one pass over the rows; missing values do not count.
TableStatistics statistics_of(const Table& table);

/// Each element less its mean, divided by its deviation: those of the column of its name, or of one column by
/// one. A column that has none becomes unusable. Failure(bad_data) where its rows have another shape. `by`:
/// whose statistics they are.
Table normalize(const Table& table, const TableStatistics& statistics, const std::string& by,
                Memory* memory = nullptr);

}  // namespace data
