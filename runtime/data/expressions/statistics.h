// The statistics with which `normalize` shifts and scales a table: mean and standard deviation of each
// element over the rows.
#pragma once
#include <string>
#include <vector>

#include "runtime/data/table.h"
#include "runtime/schema/data_expression.h"

namespace data {

using schema::ColumnStatistics;
using schema::TableStatistics;

/// Reads the rows once. Missing values do not count.
TableStatistics statistics_of(const Table& table);

/// Subtracts the mean from each element and divides by its deviation. Each column uses the statistics of the
/// same name; if both sides have one column, the names may differ. A column without statistics becomes
/// unusable. Failure(bad_data) if its rows have another shape than the statistics. `by` says in messages
/// whose statistics they are.
Table normalize(const Table& table, const TableStatistics& statistics, const std::string& by,
                Memory* memory = nullptr);

}  // namespace data
