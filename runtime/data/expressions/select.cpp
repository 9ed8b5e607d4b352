#include "runtime/data/expressions/select.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>
#include <unordered_set>

#include "runtime/data/expressions/derived_rows.h"
#include "runtime/data/sets/random.h"
#include "runtime/shared/failure.h"

namespace data {

Table select_slice(const Table& table, std::optional<int64_t> begin, std::optional<int64_t> end) {
  const int64_t rows = table.rows();
  auto place = [&](int64_t index) { return std::clamp<int64_t>(index < 0 ? index + rows : index, 0, rows); };
  int64_t first = place(begin.value_or(0)), last = place(end.value_or(rows));
  return slice_rows(table, first, std::max(first, last));
}

Table select_where(const Table& table, const Column& condition, Memory* memory) {
  if (condition.rows != table.rows() || condition.row_elements() != 1)
    throw Failure(
        Exit::bad_data,
        fmt::format("where: the condition {} has {} rows of shape {}, the table {} has {} rows and needs "
                    "one value for each",
                    condition.label(), condition.rows, to_string(condition.row_shape), table.origin,
                    table.rows()));
  condition.require_numbers();
  std::vector<int64_t> index;
  scan(condition, [&](int64_t first, int64_t rows, const float* values) {
    for (int64_t row = 0; row < rows; ++row)
      if (values[row] != 0 && !std::isnan(values[row])) index.push_back(first + row);
  });
  return take_rows(table, std::move(index), memory);
}

static std::vector<int64_t> shuffled_rows(int64_t rows, uint64_t seed) {
  std::vector<int64_t> index(rows);
  std::iota(index.begin(), index.end(), 0);
  Random(seed).shuffle(index);
  return index;
}

Table shuffle(const Table& table, uint64_t seed, Memory* memory) {
  return take_rows(table, shuffled_rows(table.rows(), seed), memory);
}

Table per_class(const Table& table, int64_t n, uint64_t seed, Memory* memory) {
  if (n < 1) throw Failure(Exit::bad_data, fmt::format("per_class: n must be 1 or more, not {}", n));
  const Column& label = table.column("label");
  if (label.row_elements() != 1)
    throw Failure(Exit::bad_data, fmt::format("per_class: {} has the shape {}, not one class per row",
                                              label.label(), to_string(label.row_shape)));
  std::vector<float> classes(label.rows);
  scan(label, [&](int64_t first, int64_t rows, const float* values) {
    std::copy_n(values, rows, classes.begin() + first);
  });
  std::map<float, int64_t> seen;
  std::vector<int64_t> index;
  for (int64_t row : shuffled_rows(table.rows(), seed)) {
    const float value = classes[row];
    if (!std::isnan(value) && seen[value]++ < n) index.push_back(row);
  }
  for (auto [value, count] : seen)
    if (count < n)
      throw Failure(Exit::bad_data, fmt::format("per_class: {} has {} rows of class {}, fewer than {}",
                                                table.origin, count, value, n));
  std::sort(index.begin(), index.end());
  return take_rows(table, std::move(index), memory);
}

/// 128 bits that represent the values of a row. Two different rows get the same bits with probability 2^-128.
struct RowKey {
  uint64_t a = 0x243f6a8885a308d3, b = 0x13198a2e03707344;
  bool operator==(const RowKey&) const = default;
  void add(float value) {
    const uint64_t bits = std::bit_cast<uint32_t>(value + 0.0f);  // makes -0 equal to 0
    a = mixed(a + bits + 0x9e3779b97f4a7c15);
    b = mixed((b ^ bits) * 0xd6e8feb86659fd93 + 1);
  }
  void add(const std::string& word) {
    for (const char letter : word) add(static_cast<float>(letter));
    add(static_cast<float>(word.size()));
  }
  static uint64_t mixed(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
};
struct HashOfKey {
  size_t operator()(const RowKey& key) const { return key.a ^ key.b; }
};

static std::vector<RowKey> row_keys(const Table& table) {
  std::vector<RowKey> keys(table.rows());
  for (const Column& column : table.columns) {
    const int64_t elements = column.row_elements();
    scan(column, [&](int64_t first, int64_t rows, const float* values) {
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t i = 0; i < elements; ++i, ++values)
          // A word's place differs from table to table, so the word itself is used.
          if (column.words && !std::isnan(*values))
            keys[first + row].add((*column.words)[static_cast<size_t>(*values)]);
          else
            keys[first + row].add(*values);
    });
  }
  return keys;
}

Table without(const Table& table, const Table& other, Memory* memory) {
  bool same = table.columns.size() == other.columns.size();
  for (size_t i = 0; same && i < table.columns.size(); ++i)
    same = table.columns[i].name == other.columns[i].name &&
           table.columns[i].row_shape == other.columns[i].row_shape;
  if (!same)
    throw Failure(Exit::bad_data,
                  fmt::format("without: {} and {} have different columns", table.origin, other.origin));
  const std::vector<RowKey> of_other = row_keys(other), of_table = row_keys(table);
  const std::unordered_set<RowKey, HashOfKey> held(of_other.begin(), of_other.end());
  std::vector<int64_t> index;
  for (int64_t row = 0; row < table.rows(); ++row)
    if (!held.contains(of_table[row])) index.push_back(row);
  return take_rows(table, std::move(index), memory);
}

Table windows(const Table& table, int64_t length, int64_t step, Memory* memory) {
  if (length < 1 || step < 1)
    throw Failure(
        Exit::bad_data,
        fmt::format("windows: `length` and `step` must be at least 1, not {} and {}", length, step));
  if (length > table.rows())
    throw Failure(Exit::bad_data, fmt::format("windows: {} has {} rows, which hold no window of length {}",
                                              table.origin, table.rows(), length));
  const int64_t windows = (table.rows() - length) / step + 1;
  for (const Column& column : table.columns)
    element_count({windows, length, std::max<int64_t>(1, column.row_elements())}, "windows");
  Table result = table;
  for (Column& column : result.columns) {
    Column stacked = column;
    stacked.rows = windows;
    stacked.row_shape.insert(stacked.row_shape.begin(), length);
    const bool streamed = column.is_streamed() || (memory && !memory->take(stacked.bytes_in_memory()));
    if (streamed) {
      column = placed_rows(column, windows, length,
                           [length, step](int64_t i) { return i / length * step + i % length; });
    } else {
      std::vector<int64_t> index;
      for (int64_t window = 0; window < windows; ++window)
        for (int64_t i = 0; i < length; ++i) index.push_back(window * step + i);
      column = take_rows({"", {column}}, std::move(index)).columns[0];
    }
    column.rows = windows;
    column.row_shape = stacked.row_shape;
  }
  return result;
}

}  // namespace data
