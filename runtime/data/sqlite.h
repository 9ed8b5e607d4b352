// The rows of a query to an SQLite database as a table: columns as the query names them. NULL and empty text
// are missing values; text is numbers or words, as in CSV. Failure(bad_data): no database, a query that is
// wrong or writes, binary cells; it names the file.
#pragma once
#include <filesystem>
#include <string>

#include "runtime/data/table.h"

namespace data {

Table read_sqlite(const std::filesystem::path& path, const std::string& query);

}  // namespace data
