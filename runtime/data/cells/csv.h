// Reads CSV files into one column per name. A column with text in some cell is a column of words: its values
// are the words' places in alphabetical order, and only a `category` variable can use it. Columns without a
// name, or with a name that occurs twice, do no harm unless they are used. Failure(bad_data) names the line:
// rows of different lengths, and the faults that csv_cells.h lists.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runtime/data/cells/csv_cells.h"
#include "runtime/data/table.h"

namespace data {

/// `names`: the wanted columns, in this order; as a value the table is then a vector of them. Without `names`
/// all columns are read. Columns of a file without a header are called `column0`, `column1`, ...; `names` may
/// also say "0", "1", ...
Table read_csv(const std::filesystem::path& path, const std::optional<std::vector<std::string>>& names,
               const CsvFormat& format = {});

}  // namespace data
