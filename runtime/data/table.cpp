#include "runtime/data/table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "runtime/data/cells/words.h"
#include "runtime/data/expressions/derived_rows.h"
#include "runtime/shared/failure.h"

namespace data {

int64_t element_count(const Shape& shape, const std::string& what) {
  constexpr int64_t limit = int64_t{1} << 40;
  int64_t count = 1;
  for (int64_t axis : shape) {
    if (axis < 0)
      throw Failure(Exit::bad_data, fmt::format("{}: the shape has a negative axis, {}", what, axis));
    if (axis != 0 && count > limit / axis)
      throw Failure(Exit::bad_data, fmt::format("{}: the shape {} is too large", what, to_string(shape)));
    count *= axis;
  }
  return count;
}

std::string to_string(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

int64_t Column::row_elements() const {
  int64_t count = 1;
  for (int64_t axis : row_shape) count *= axis;
  return count;
}

Column byte_column(std::string name, Shape row_shape, int64_t rows, std::vector<uint8_t> bytes,
                   std::shared_ptr<const Levels> levels) {
  Column column;
  column.name = std::move(name);
  column.row_shape = std::move(row_shape);
  column.rows = rows;
  column.bytes = std::make_shared<const std::vector<uint8_t>>(std::move(bytes));
  column.levels = std::move(levels);
  return column;
}

Column real_column(std::string name, Shape row_shape, int64_t rows, std::vector<float> reals) {
  Column column;
  column.name = std::move(name);
  column.row_shape = std::move(row_shape);
  column.rows = rows;
  column.reals = std::make_shared<const std::vector<float>>(std::move(reals));
  return column;
}

static std::shared_ptr<const Levels> levels_over(float divisor) {
  Levels levels;
  for (int byte = 0; byte < 256; ++byte) levels[byte] = static_cast<float>(byte) / divisor;
  return std::make_shared<const Levels>(levels);
}

std::shared_ptr<const Levels> whole_levels() {
  static const auto levels = levels_over(1);
  return levels;
}

std::shared_ptr<const Levels> pixel_levels() {
  static const auto levels = levels_over(255);
  return levels;
}

void Column::require_numbers() const {
  if (!no_number.empty()) throw Failure(Exit::bad_data, no_number);
}

void Column::become_numbers() {
  words = nullptr;
  no_number.clear();
  written = false;
}

static void require_usable(const Column& column) {
  if (!column.unusable.empty()) throw Failure(Exit::bad_data, column.unusable);
}

const Column& Table::column(const std::string& name) const {
  std::vector<std::string> names;
  for (const Column& column : columns) {
    if (column.name == name) {
      require_usable(column);
      return column;
    }
    names.push_back("`" + column.name + "`");
  }
  throw Failure(Exit::bad_data,
                fmt::format("{} has no column `{}`; it has {}", origin, name, fmt::join(names, ", ")));
}

Shape shape_of_vectors(const std::vector<Column>& columns) {
  Shape shape = columns.front().row_shape;
  shape.push_back(static_cast<int64_t>(columns.size()));
  return shape;
}

Column Table::as_value() const {
  if (columns.empty()) throw Failure(Exit::bad_data, origin + " has no columns");
  if (!stands_for_vector) {
    require_usable(columns.front());
    return columns.front();
  }
  for (const Column& column : columns) require_usable(column);
  if (columns.size() == 1) return columns.front();
  const bool text = std::all_of(columns.begin(), columns.end(), [](const Column& c) { return c.words; });
  if (text) return joined_words(columns, origin);
  std::vector<std::string> names;
  for (const Column& column : columns) {
    column.require_numbers();
    names.push_back(column.name);
  }
  const int64_t elements = columns.front().row_elements(), width = static_cast<int64_t>(columns.size());
  std::vector<float> vectors(rows() * elements * width);
  for (int64_t place = 0; place < width; ++place)
    scan(columns[place], [&](int64_t first, int64_t count, const float* values) {
      float* to = vectors.data() + first * elements * width + place;
      for (int64_t i = 0; i < count * elements; ++i) to[i * width] = values[i];
    });
  Column result = real_column(fmt::format("({})", fmt::join(names, ", ")), shape_of_vectors(columns), rows(),
                              std::move(vectors));
  result.origin = origin;
  result.written = columns.front().written;
  return result;
}

template <typename T>
static void copy_rows(const T* storage, int64_t elements, const int64_t* rows, int64_t n, T* to) {
  if (elements == 0) return;
  for (int64_t i = 0; i < n; ++i)
    std::memcpy(to + i * elements, storage + rows[i] * elements, elements * sizeof(T));
}

template <typename T>
static void read_rows(const RowSource<T>& source, int64_t first_row, const int64_t* rows, int64_t n, T* to) {
  if (first_row == 0) return source.read(rows, n, to);
  std::vector<int64_t> moved(rows, rows + n);
  for (int64_t& row : moved) row += first_row;
  source.read(moved.data(), n, to);
}

void Column::read(const int64_t* wanted, int64_t n, uint8_t* to) const {
  if (byte_rows) return read_rows(*byte_rows, first_row, wanted, n, to);
  copy_rows(byte_data(), row_elements(), wanted, n, to);
}

void Column::read(const int64_t* wanted, int64_t n, float* to) const {
  if (real_rows) return read_rows(*real_rows, first_row, wanted, n, to);
  if (reals) return copy_rows(real_data(), row_elements(), wanted, n, to);
  std::vector<uint8_t> held(n * row_elements());
  read(wanted, n, held.data());
  for (size_t i = 0; i < held.size(); ++i) to[i] = (*levels)[held[i]];
}

void Column::expect(const int64_t* wanted, int64_t n) const {
  if (!is_streamed()) return;
  std::vector<int64_t> moved(wanted, wanted + n);
  for (int64_t& row : moved) row += first_row;
  if (byte_rows)
    byte_rows->expect(moved.data(), n);
  else
    real_rows->expect(moved.data(), n);
}

void scan_rows(int64_t rows, int64_t elements,
               const std::function<void(const int64_t* rows, int64_t first, int64_t n)>& visit) {
  constexpr int64_t piece = int64_t{1} << 18;
  const int64_t most = std::clamp<int64_t>(piece / std::max<int64_t>(1, elements), 1, 1 << 16);
  std::vector<int64_t> index(2 * most);  // row numbers of a piece and of the next piece
  for (int64_t first = 0; first < rows; first += most) {
    std::iota(index.begin(), index.end(), first);
    visit(index.data(), first, std::min(most, rows - first));
  }
}

void scan(const Column& column,
          const std::function<void(int64_t first, int64_t rows, const float* values)>& visit) {
  std::vector<float> values;
  const int64_t elements = column.row_elements();
  scan_rows(column.rows, elements, [&](const int64_t* rows, int64_t first, int64_t n) {
    const int64_t next = std::clamp<int64_t>(column.rows - first - n, 0, n);
    column.expect(rows + n, next);
    values.resize(n * elements);
    column.read(rows, n, values.data());
    visit(first, n, values.data());
  });
}

/// A column in memory with `rows` rows. `read` reads them from `column`, a piece at a time.
template <typename Read>
static Column held_rows(const Column& column, int64_t rows, const Read& read) {
  Column result = column;
  result.rows = rows;
  result.first_row = 0;
  result.byte_rows = nullptr;
  result.real_rows = nullptr;
  result.bytes = nullptr;
  result.reals = nullptr;
  const int64_t elements = column.row_elements();
  const auto fill = [&](auto& values) {
    scan_rows(rows, elements, [&](const int64_t* index, int64_t first, int64_t n) {
      read(index, first, n, values.data() + first * elements);
    });
  };
  if (column.is_bytes()) {
    std::vector<uint8_t> bytes(rows * elements);
    fill(bytes);
    result.bytes = std::make_shared<const std::vector<uint8_t>>(std::move(bytes));
  } else {
    std::vector<float> reals(rows * elements);
    fill(reals);
    result.reals = std::make_shared<const std::vector<float>>(std::move(reals));
  }
  return result;
}

Column held(const Column& column) {
  return held_rows(column, column.rows,
                   [&](const int64_t* index, int64_t, int64_t n, auto* to) { column.read(index, n, to); });
}

Table take_rows(const Table& table, std::vector<int64_t> index, Memory* memory) {
  Table result = table;
  const auto shared = std::make_shared<const std::vector<int64_t>>(std::move(index));
  const auto rows = static_cast<int64_t>(shared->size());
  for (Column& column : result.columns) {
    Column taken = column;
    taken.rows = rows;
    if (column.is_streamed() || (memory && !memory->take(taken.bytes_in_memory())))
      taken = placed_rows(column, rows, 1, [shared](int64_t row) { return (*shared)[row]; });
    else
      taken = held_rows(column, rows, [&](const int64_t*, int64_t first, int64_t n, auto* to) {
        column.read(shared->data() + first, n, to);
      });
    column = std::move(taken);
  }
  return result;
}

Table slice_rows(const Table& table, int64_t begin, int64_t end) {
  Table result = table;
  for (Column& column : result.columns) {
    column.first_row += begin;
    column.rows = end - begin;
  }
  return result;
}

}  // namespace data
