// Reads the rows of a query to an SQLite database as a table. The query names the columns. NULL and empty
// text are missing values; text is numbers or words, as in CSV. Failure(bad_data) names the file: it is not a
// database, the query is wrong or writes, or a cell is binary.
#pragma once
#include <filesystem>
#include <string>

#include "runtime/data/table.h"

namespace data {

Table read_sqlite(const std::filesystem::path& path, const std::string& query);

}  // namespace data
