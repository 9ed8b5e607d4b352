#include "runtime/data/cells/sqlite.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runtime/data/arrays/byte_source.h"
#include "runtime/data/cells/cell_columns.h"
#include "runtime/data/optional_library.h"
#include "runtime/shared/failure.h"
#include "runtime/sqlite/sqlite_api.h"

namespace data {
namespace {

constexpr char sqlite_library[] = "libvaert_sqlite.so";

class SqliteReader {
 public:
  SqliteReader(const std::filesystem::path& path, const std::string& query) : file_(path.string()) {
    handle_ = function_of<vaert_sqlite_open_function>(sqlite_library, "vaert_sqlite_open")(
        file_.c_str(), query.c_str(), error_.data(), error_.size());
    if (!handle_) fail(error_.data());
  }
  ~SqliteReader() {
    if (handle_) close_(handle_);
  }
  SqliteReader(const SqliteReader&) = delete;
  SqliteReader& operator=(const SqliteReader&) = delete;

  Table read() {
    name_columns();
    std::vector<size_t> all(columns_.size()), text;
    for (size_t i = 0; i < all.size(); ++i) all[i] = i;
    const int64_t rows = read_rows(all);
    // Which columns contain text is known after the last row. A second pass reads their words.
    for (const size_t i : all)
      if (columns_[i].begin_words()) text.push_back(i);
    if (!text.empty() && read_rows(text) != rows) fail("the query gives other rows when it is asked again");
    Table table;
    table.origin = file_;
    for (CellColumn& column : columns_) table.columns.push_back(column.finish());
    return table;
  }

 private:
  [[noreturn]] void fail(const std::string& cause) const { fail_in(file_, cause); }

  void name_columns() {
    const auto name = function_of<vaert_sqlite_name_function>(sqlite_library, "vaert_sqlite_name");
    const int count =
        function_of<vaert_sqlite_columns_function>(sqlite_library, "vaert_sqlite_columns")(handle_);
    for (int i = 0; i < count; ++i) {
      CellColumn column;
      column.name = name(handle_, i);
      for (CellColumn& other : columns_)
        if (other.name == column.name)
          other.unusable = column.unusable =
              fmt::format("{}: two columns of the query have the name `{}`", file_, column.name);
      columns_.push_back(std::move(column));
    }
  }

  int64_t read_rows(const std::vector<size_t>& wanted) {
    int64_t row = 0;
    int more = 0;
    while ((more = next_(handle_, error_.data(), error_.size())) > 0) {
      for (const size_t i : wanted) add(i, row);
      ++row;
    }
    if (more < 0) fail(error_.data());
    return row;
  }

  void add(size_t i, int64_t row) {
    CellColumn& column = columns_[i];
    const char* text = nullptr;
    int64_t length = 0;
    const int kind = cell_(handle_, static_cast<int>(i), &text, &length);
    if (kind == VAERT_SQLITE_BLOB) {
      if (column.unusable.empty())
        column.unusable =
            fmt::format("{}: row {}, column `{}`: binary data are no value", file_, row, column.name);
      return column.add_missing();
    }
    std::string cell(text ? text : "", static_cast<size_t>(text ? length : 0));
    // Blanks at the ends do not count, as in CSV files.
    cell.erase(cell.find_last_not_of(" \t") + 1);
    cell.erase(0, cell.find_first_not_of(" \t"));
    if (kind == VAERT_SQLITE_MISSING || cell.empty()) return column.add_missing();
    if (!column.add(cell))
      column.no_number =
          fmt::format("{}: row {}, column `{}`: \"{}\" is not a number", file_, row, column.name, cell);
  }

  std::string file_;
  void* handle_ = nullptr;
  std::array<char, 1024> error_{};
  std::vector<CellColumn> columns_;
  vaert_sqlite_next_function* next_ =
      function_of<vaert_sqlite_next_function>(sqlite_library, "vaert_sqlite_next");
  vaert_sqlite_cell_function* cell_ =
      function_of<vaert_sqlite_cell_function>(sqlite_library, "vaert_sqlite_cell");
  vaert_sqlite_close_function* close_ =
      function_of<vaert_sqlite_close_function>(sqlite_library, "vaert_sqlite_close");
};

}  // namespace

Table read_sqlite(const std::filesystem::path& path, const std::string& query) {
  return SqliteReader(path, query).read();
}

}  // namespace data
