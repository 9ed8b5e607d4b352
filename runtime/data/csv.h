// CSV files, read to one column per name. Cells are numbers; a column with text in it is one of words: its
// values are the places of its words, sorted, and only a variable of classes can use it. Unless they are
// used, columns without a name, or two of one name, do no harm. Failure(bad_data) names the line: rows of
// another length, and what csv_cells.h says.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runtime/data/csv_cells.h"
#include "runtime/data/table.h"

namespace data {

/// `names`: the columns wanted, in this order; the table then stands for them as a vector. All columns
/// without it. In a file without a header they are `column0`, `column1`, ...; in `names` also "0", "1", ...
Table read_csv(const std::filesystem::path& path, const std::optional<std::vector<std::string>>& names,
               const CsvFormat& format = {});

}  // namespace data
