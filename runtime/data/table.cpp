#include "runtime/data/table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "runtime/failure.h"

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

Column Table::as_value() const {
  if (columns.empty()) throw Failure(Exit::bad_data, origin + " has no columns");
  if (!stands_for_vector) {
    require_usable(columns.front());
    return columns.front();
  }
  std::vector<float> vectors;
  int64_t width = 0;
  std::vector<std::string> names;
  for (const Column& column : columns) {
    width += column.row_elements();
    names.push_back(column.name);
  }
  vectors.resize(rows() * width);
  int64_t offset = 0;
  for (const Column& column : columns) {
    int64_t elements = column.row_elements();
    for (int64_t row = 0; row < rows(); ++row)
      for (int64_t i = 0; i < elements; ++i)
        vectors[row * width + offset + i] = column.at(row * elements + i);
    offset += elements;
  }
  Column result =
      real_column(fmt::format("({})", fmt::join(names, ", ")), {width}, rows(), std::move(vectors));
  result.origin = origin;
  return result;
}

template <typename T>
static std::shared_ptr<const std::vector<T>> copied_rows(const T* storage, int64_t elements,
                                                         const std::vector<int64_t>& index) {
  std::vector<T> copy(index.size() * elements);
  if (elements > 0)
    for (size_t i = 0; i < index.size(); ++i)
      std::memcpy(copy.data() + i * elements, storage + index[i] * elements, elements * sizeof(T));
  return std::make_shared<const std::vector<T>>(std::move(copy));
}

Column take_rows(const Column& column, const std::vector<int64_t>& index) {
  Column result = column;
  result.rows = static_cast<int64_t>(index.size());
  result.first_row = 0;
  if (column.is_bytes())
    result.bytes = copied_rows(column.byte_data(), column.row_elements(), index);
  else
    result.reals = copied_rows(column.real_data(), column.row_elements(), index);
  return result;
}

Table take_rows(const Table& table, const std::vector<int64_t>& index) {
  Table result = table;
  for (Column& column : result.columns) column = take_rows(column, index);
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
