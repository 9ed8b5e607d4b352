// CSV files with a header row, read to one real column per name; an empty cell is a missing value (NaN).
// A column with text in it is refused only when it is used, with the line and the cell. Failure(bad_data)
// names the line: rows of another length, a column of no name or of a name that occurs twice, a quote without
// end.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runtime/data/table.h"

namespace data {

/// `names`: the columns wanted, in this order; the table then stands for them as a vector. All columns
/// without it.
Table read_csv(const std::filesystem::path& path, const std::optional<std::vector<std::string>>& names);

}  // namespace data
