#include "runtime/data/cells/csv.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "runtime/data/arrays/byte_source.h"
#include "runtime/data/cells/cell_columns.h"
#include "runtime/data/notes.h"
#include "runtime/shared/failure.h"

namespace data {
namespace {

struct Reading : CellColumn {
  bool wanted = true;
};

class CsvReader {
 public:
  CsvReader(const std::filesystem::path& path, const CsvFormat& format)
      : file_(path.string()), format_(format), bytes_(read_file(path)) {}

  Table read(const std::optional<std::vector<std::string>>& names) {
    CsvCells cells(file_, bytes_, format_);
    std::vector<std::string> row;
    const bool found = cells.next_row(row);
    if (!found && format_.header) cells.fail(1, "the file is empty, it needs a header row of names");
    if (!found) cells.fail(1, "the file is empty");
    name_columns(row, cells.line());
    const std::vector<size_t> wanted = names ? select(*names) : std::vector<size_t>();
    read_rows([](const Reading&) { return true; });
    // Which columns contain text is known after the last row. A second pass reads their words.
    bool any_text = false;
    for (Reading& column : columns_) any_text |= column.begin_words();
    if (any_text) read_rows([](const Reading& column) { return column.is_text; });
    return table(names.has_value(), wanted);
  }

 private:
  void name_columns(const std::vector<std::string>& row, int64_t line) {
    std::map<std::string, size_t> first;
    bool numbers = true;
    for (const std::string& cell : row) {
      Reading& column = columns_.emplace_back();
      const size_t number = columns_.size();
      column.name = format_.header ? cell : fmt::format("column{}", number - 1);
      if (!format_.header) continue;
      float value = 0;
      numbers = numbers && parse_number(cell, value);
      if (cell.empty()) {
        column.unusable =
            fmt::format("{}: line {}: column {} has no name in the header row", file_, line, number);
      } else if (const auto [other, added] = first.emplace(cell, number - 1); !added) {
        column.unusable = fmt::format("{}: line {}: two columns have the name `{}`", file_, line, cell);
        columns_[other->second].unusable = column.unusable;
      }
    }
    if (format_.header && numbers)
      warn_once(
          fmt::format("{}: line {} holds numbers only and is read as the names of the columns; if it is "
                      "a row, write `header = false`",
                      file_, line));
  }

  /// The positions of the wanted columns.
  std::vector<size_t> select(const std::vector<std::string>& names) {
    std::unordered_map<std::string, size_t> by_name;  // the first column of each name
    for (size_t i = 0; i < columns_.size(); ++i) {
      columns_[i].wanted = false;
      by_name.emplace(columns_[i].name, i);
    }
    std::vector<size_t> places;
    for (const std::string& name : names) {
      const bool digits = !name.empty() && name.find_first_not_of("0123456789") == name.npos;
      const std::string full = !format_.header && digits ? "column" + name : name;
      const auto found = by_name.find(full);
      if (found == by_name.end() || name.empty()) refuse_name(name);
      Reading& column = columns_[found->second];
      if (!column.unusable.empty()) throw Failure(Exit::bad_data, column.unusable);
      column.wanted = true;
      places.push_back(found->second);
    }
    return places;
  }

  [[noreturn]] void refuse_name(const std::string& name) const {
    constexpr size_t most_named = 30;
    std::vector<std::string> known;
    for (const Reading& column : columns_)
      if (!column.name.empty() && known.size() < most_named) known.push_back("`" + column.name + "`");
    if (columns_.size() > most_named) known.push_back(fmt::format("{} more", columns_.size() - known.size()));
    throw Failure(Exit::bad_data,
                  fmt::format("{} has no column `{}`; it has {}", file_, name, fmt::join(known, ", ")));
  }

  /// An empty cell is always a missing value, whatever other texts the call names.
  bool is_missing(const std::string& cell) const {
    return cell.empty() ||
           std::find(format_.missing.begin(), format_.missing.end(), cell) != format_.missing.end();
  }

  template <typename Takes>
  void read_rows(const Takes& takes) {
    CsvCells cells(file_, bytes_, format_);
    std::vector<std::string> row;
    if (format_.header) cells.next_row(row);
    rows_ = 0;
    while (cells.next_row(row)) {
      if (row.size() == 1 && row[0].empty() && columns_.size() > 1) continue;  // an empty line
      if (row.size() != columns_.size())
        throw Failure(Exit::bad_data,
                      fmt::format("{}: line {} has {} cells, the {} row has {}", file_, cells.line(),
                                  row.size(), format_.header ? "header" : "first", columns_.size()));
      for (size_t i = 0; i < row.size(); ++i)
        if (columns_[i].wanted && takes(columns_[i])) add(columns_[i], row[i], cells.line());
      ++rows_;
    }
  }

  void add(Reading& column, const std::string& cell, int64_t line) const {
    if (is_missing(cell))
      column.add_missing();
    else if (!column.add(cell))
      column.no_number = describe(column, cell, line);
  }

  std::string describe(const Reading& column, const std::string& cell, int64_t line) const {
    static const char* const usual[] = {"NA",   "N/A",  "n/a", "na",      "null", "NULL", "None",
                                        "none", "<NA>", "-",   "missing", "?",    "."};
    const bool is_usual = std::find(std::begin(usual), std::end(usual), cell) != std::end(usual);
    std::vector<std::string> words;
    for (const std::string& word : format_.missing) words.push_back('"' + word + '"');
    words.push_back('"' + cell + '"');
    return fmt::format("{}: line {}, column `{}`: \"{}\" is not a number{}", file_, line, column.name, cell,
                       is_usual ? fmt::format("; if it stands for a missing value, write `missing = [{}]`",
                                              fmt::join(words, ", "))
                                : "");
  }

  Table table(bool stands_for_vector, const std::vector<size_t>& wanted) {
    std::vector<Column> columns(columns_.size());
    Table table;
    table.stands_for_vector = stands_for_vector;
    table.origin = file_;
    for (size_t i = 0; i < columns_.size(); ++i) {
      Reading& reading = columns_[i];
      if (!reading.wanted) continue;
      columns[i] = reading.finish();
      if (!stands_for_vector) table.columns.push_back(columns[i]);
    }
    for (const size_t place : wanted) table.columns.push_back(columns[place]);
    return table;
  }

  std::string file_;
  const CsvFormat& format_;
  std::vector<uint8_t> bytes_;
  std::vector<Reading> columns_;
  int64_t rows_ = 0;
};

}  // namespace

Table read_csv(const std::filesystem::path& path, const std::optional<std::vector<std::string>>& names,
               const CsvFormat& format) {
  return CsvReader(path, format).read(names);
}

}  // namespace data
