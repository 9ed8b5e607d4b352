#include "runtime/data/select.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string_view>
#include <unordered_set>

#include "runtime/data/random.h"
#include "runtime/failure.h"

namespace data {

Table select_slice(const Table& table, std::optional<int64_t> begin, std::optional<int64_t> end) {
  const int64_t rows = table.rows();
  auto place = [&](int64_t index) { return std::clamp<int64_t>(index < 0 ? index + rows : index, 0, rows); };
  int64_t first = place(begin.value_or(0)), last = place(end.value_or(rows));
  return slice_rows(table, first, std::max(first, last));
}

Table select_where(const Table& table, const Column& condition) {
  if (condition.rows != table.rows() || condition.row_elements() != 1)
    throw Failure(
        Exit::bad_data,
        fmt::format("where: the condition {} has {} rows of shape {}, the table {} has {} rows and needs "
                    "one value for each",
                    condition.label(), condition.rows, to_string(condition.row_shape), table.origin,
                    table.rows()));
  std::vector<int64_t> index;
  for (int64_t row = 0; row < condition.rows; ++row)
    if (float value = condition.at(row); value != 0 && !std::isnan(value)) index.push_back(row);
  return take_rows(table, index);
}

static std::vector<int64_t> shuffled_rows(int64_t rows, uint64_t seed) {
  std::vector<int64_t> index(rows);
  std::iota(index.begin(), index.end(), 0);
  Random(seed).shuffle(index);
  return index;
}

Table shuffle(const Table& table, uint64_t seed) {
  return take_rows(table, shuffled_rows(table.rows(), seed));
}

Table per_class(const Table& table, int64_t n, uint64_t seed) {
  const Column& label = table.column("label");
  if (label.row_elements() != 1)
    throw Failure(Exit::bad_data, fmt::format("per_class: {} has the shape {}, not one class per row",
                                              label.label(), to_string(label.row_shape)));
  std::map<float, int64_t> seen;
  std::vector<int64_t> index;
  for (int64_t row : shuffled_rows(table.rows(), seed)) {
    float value = label.at(row);
    if (!std::isnan(value) && seen[value]++ < n) index.push_back(row);
  }
  for (auto [value, count] : seen)
    if (count < n)
      throw Failure(Exit::bad_data, fmt::format("per_class: {} has {} rows of class {}, fewer than {}",
                                                table.origin, count, value, n));
  std::sort(index.begin(), index.end());
  return take_rows(table, index);
}

/// The values of a row in one string of bytes, for comparison.
static void row_key(const Table& table, int64_t row, std::string& key) {
  key.clear();
  for (const Column& column : table.columns) {
    int64_t elements = column.row_elements();
    for (int64_t i = 0; i < elements; ++i) {
      float value = column.at(row * elements + i);
      key.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
  }
}

Table without(const Table& table, const Table& other) {
  bool same = table.columns.size() == other.columns.size();
  for (size_t i = 0; same && i < table.columns.size(); ++i)
    same = table.columns[i].name == other.columns[i].name &&
           table.columns[i].row_shape == other.columns[i].row_shape;
  if (!same)
    throw Failure(Exit::bad_data,
                  fmt::format("without: {} and {} have different columns", table.origin, other.origin));
  std::unordered_set<std::string> held;
  std::string key;
  for (int64_t row = 0; row < other.rows(); ++row) {
    row_key(other, row, key);
    held.insert(key);
  }
  std::vector<int64_t> index;
  for (int64_t row = 0; row < table.rows(); ++row) {
    row_key(table, row, key);
    if (!held.contains(key)) index.push_back(row);
  }
  return take_rows(table, index);
}

static Column normalize(const Column& column) {
  const int64_t elements = column.row_elements();
  std::vector<double> sum(elements), squares(elements), present(elements);
  for (int64_t row = 0; row < column.rows; ++row)
    for (int64_t i = 0; i < elements; ++i)
      if (double value = column.at(row * elements + i); !std::isnan(value)) {
        sum[i] += value;
        present[i] += 1;
      }
  for (int64_t i = 0; i < elements; ++i) sum[i] /= std::max(present[i], 1.0);
  // Squares of deviations, not of values: a large mean would swallow the deviation.
  for (int64_t row = 0; row < column.rows; ++row)
    for (int64_t i = 0; i < elements; ++i)
      if (double deviation = column.at(row * elements + i) - sum[i]; !std::isnan(deviation))
        squares[i] += deviation * deviation;
  std::vector<float> values(column.rows * elements);
  for (int64_t row = 0; row < column.rows; ++row)
    for (int64_t i = 0; i < elements; ++i) {
      double deviation = std::sqrt(squares[i] / std::max(present[i], 1.0));
      double value = column.at(row * elements + i) - sum[i];
      values[row * elements + i] = static_cast<float>(value / (deviation > 0 ? deviation : 1));
    }
  Column result = real_column(column.name, column.row_shape, column.rows, std::move(values));
  result.origin = column.origin;
  return result;
}

Table normalize(const Table& table) {
  Table result = table;
  for (Column& column : result.columns) column = normalize(column);
  return result;
}

Table windows(const Table& table, int64_t length, int64_t step) {
  if (length < 1 || step < 1 || length > table.rows())
    throw Failure(Exit::bad_data,
                  fmt::format("windows: {} has {} rows, which hold no window of length {} and step {}",
                              table.origin, table.rows(), length, step));
  const int64_t windows = (table.rows() - length) / step + 1;
  for (const Column& column : table.columns)
    element_count({windows, length, std::max<int64_t>(1, column.row_elements())}, "windows");
  std::vector<int64_t> index;
  for (int64_t window = 0; window < windows; ++window)
    for (int64_t i = 0; i < length; ++i) index.push_back(window * step + i);
  Table result = take_rows(table, index);
  for (Column& column : result.columns) {
    column.rows = windows;
    column.row_shape.insert(column.row_shape.begin(), length);
  }
  return result;
}

}  // namespace data
