#include "runtime/data/csv.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <string_view>

#include "runtime/data/byte_source.h"
#include "runtime/failure.h"

namespace data {
namespace {

struct Cell {
  std::string text;
  bool ends_row = false;
};

class Cells {
 public:
  explicit Cells(const std::filesystem::path& path) : name_(path.string()), bytes_(read_file(path)) {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (view().starts_with(byte_order_mark)) at_ = byte_order_mark.size();
  }

  int64_t line() const { return line_; }
  bool at_end() const { return at_ >= bytes_.size(); }
  [[noreturn]] void fail(int64_t line, const std::string& cause) const {
    throw Failure(Exit::bad_data, fmt::format("{}: line {}: {}", name_, line, cause));
  }

  Cell next() {
    Cell cell;
    const int64_t first_line = line_;
    bool quoted = false;
    for (; at_ < bytes_.size(); ++at_) {
      char c = static_cast<char>(bytes_[at_]);
      if (c == '\n') ++line_;
      if (quoted) {
        if (c != '"') {
          cell.text += c;
        } else if (at_ + 1 < bytes_.size() && bytes_[at_ + 1] == '"') {
          cell.text += c;
          ++at_;
        } else {
          quoted = false;
        }
      } else if (c == '"') {
        quoted = true;
      } else if (c == ',' || c == '\n') {
        ++at_;
        cell.ends_row = c == '\n';
        trim(cell.text);
        return cell;
      } else {
        cell.text += c;
      }
    }
    if (quoted) fail(first_line, "a quote does not end");
    cell.ends_row = true;
    trim(cell.text);
    return cell;
  }

 private:
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }

  static void trim(std::string& text) {
    auto space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    while (!text.empty() && space(text.back())) text.pop_back();
    text.erase(text.begin(), std::find_if_not(text.begin(), text.end(), space));
  }

  std::string name_;
  std::vector<uint8_t> bytes_;
  size_t at_ = 0;
  int64_t line_ = 1;
};

/// Whether the whole text is a number; an empty one is a missing number.
bool parse(std::string_view text, float& value) {
  if (text.empty()) {
    value = NAN;
    return true;
  }
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) number = text.find("e-") == text.npos ? INFINITY : 0;
  value = static_cast<float>(number);
  return error != std::errc::invalid_argument && end == text.data() + text.size();
}

/// A number by which texts can be told apart, though not used: `without` compares whole rows.
float standing_for(const std::string& text) {
  constexpr uint32_t finite = 0x3fffffff;
  uint32_t hash = 2166136261;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619;
  return std::bit_cast<float>(hash & finite);
}

struct Reading {
  std::string name;
  bool wanted = true;
  std::vector<float> values;
  std::string unusable;
};

}  // namespace

Table read_csv(const std::filesystem::path& path, const std::optional<std::vector<std::string>>& names) {
  Cells cells(path);
  if (cells.at_end()) cells.fail(1, "the file is empty, it needs a header row of names");
  std::vector<Reading> columns;
  const int64_t header_line = cells.line();
  for (bool last = false; !last;) {
    Cell cell = cells.next();
    last = cell.ends_row;
    auto same = [&](const Reading& other) { return other.name == cell.text; };
    if (cell.text.empty())
      cells.fail(header_line, fmt::format("column {} has no name in the header row", columns.size() + 1));
    if (std::any_of(columns.begin(), columns.end(), same))
      cells.fail(header_line, fmt::format("two columns have the name `{}`", cell.text));
    bool wanted = !names || std::find(names->begin(), names->end(), cell.text) != names->end();
    columns.push_back({cell.text, wanted, {}, {}});
  }
  if (names) {
    std::vector<std::string> header;
    for (const Reading& column : columns) header.push_back("`" + column.name + "`");
    for (const std::string& name : *names)
      if (std::none_of(columns.begin(), columns.end(), [&](const Reading& c) { return c.name == name; }))
        throw Failure(Exit::bad_data, fmt::format("{} has no column `{}`; it has {}", path.string(), name,
                                                  fmt::join(header, ", ")));
  }
  int64_t rows = 0;
  while (!cells.at_end()) {
    const int64_t line = cells.line();
    size_t count = 0;
    std::string only;
    for (bool last = false; !last; ++count) {
      Cell cell = cells.next();
      last = cell.ends_row;
      if (count >= columns.size()) continue;
      Reading& column = columns[count];
      if (last && count == 0) only = cell.text;
      float value = NAN;
      if (!column.wanted) continue;
      const bool number = parse(cell.text, value);
      if (!number) value = standing_for(cell.text);
      if (!number && column.unusable.empty())
        column.unusable = fmt::format("{}: line {}, column `{}`: \"{}\" is not a number", path.string(), line,
                                      column.name, cell.text);
      column.values.push_back(value);
    }
    if (count == 1 && only.empty() && columns.size() > 1) {  // an empty line
      if (columns[0].wanted) columns[0].values.pop_back();
      continue;
    }
    if (count != columns.size())
      throw Failure(Exit::bad_data, fmt::format("{}: line {} has {} cells, the header row has {}",
                                                path.string(), line, count, columns.size()));
    ++rows;
  }
  Table table;
  table.stands_for_vector = names.has_value();
  table.origin = path.string();
  for (Reading& reading : columns)
    if (reading.wanted) {
      Column column = real_column(reading.name, {}, rows, std::move(reading.values));
      column.unusable = reading.unusable;
      table.columns.push_back(std::move(column));
    }
  if (!names) return table;
  std::vector<Column> ordered;
  for (const std::string& name : *names) ordered.push_back(table.column(name));
  table.columns = std::move(ordered);
  return table;
}

}  // namespace data
