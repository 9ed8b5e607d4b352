// Tables of named columns, as the readers give them and as data expressions
// transform them. A column is `rows` rows of `row_shape` values, held as bytes with a value per byte (images,
// labels, comparisons: element-wise arithmetic with numbers changes the 256 values and copies no data) or as
// float32. Columns share their storage and are never changed in place. A streamed column has no storage: its
// rows are read, or computed, when they are needed.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/data/memory.h"
#include "runtime/data/row_source.h"

namespace data {

using Shape = std::vector<int64_t>;
using Levels = std::array<float, 256>;

/// The number of elements of a shape; a scalar has one. Failure(bad_data) naming `what` on a negative axis or
/// past 2^40.
int64_t element_count(const Shape& shape, const std::string& what);
/// `[28, 28]`, and `[]` for a scalar.
std::string to_string(const Shape& shape);

struct Column {
  std::string name;
  std::string origin;  // the reader as written, for messages
  Shape row_shape;
  int64_t rows = 0;
  int64_t first_row = 0;                 // where row 0 lies in the storage: slices share it
  std::shared_ptr<const Levels> levels;  // the value of each byte, of a column of bytes alone
  // One of these four.
  std::shared_ptr<const std::vector<uint8_t>> bytes;
  std::shared_ptr<const std::vector<float>> reals;
  std::shared_ptr<const RowSource<uint8_t>> byte_rows;
  std::shared_ptr<const RowSource<float>> real_rows;
  bool pixels =
      false;  // bytes as an image file holds them: a `category` variable takes them as class indices
  std::string unusable;   // why the column cannot be used, where a reader found that out
  std::string no_number;  // why it cannot be used as numbers
  /// Of a column of words: its values are places in this list, which is sorted.
  std::shared_ptr<const std::vector<std::string>> words;
  bool written = false;  // the cells of a text file as they stand: a variable of words takes them as words

  bool is_bytes() const { return levels != nullptr; }
  bool is_streamed() const { return byte_rows || real_rows; }
  int64_t row_elements() const;
  int64_t bytes_in_memory() const { return rows * row_elements() * (is_bytes() ? 1 : 4); }
  /// The elements of n rows, streamed or not; safe to call from several threads.
  void read(const int64_t* rows, int64_t n, float* to) const;
  void read(const int64_t* rows, int64_t n, uint8_t* to) const;  // of a column of bytes, without its levels
  /// These rows are read soon.
  void expect(const int64_t* rows, int64_t n) const;

  // Of columns that are not streamed:
  const uint8_t* byte_data() const { return bytes->data() + first_row * row_elements(); }
  const float* real_data() const { return reals->data() + first_row * row_elements(); }
  /// The value of an element, counted through all rows.
  float at(int64_t element) const {
    return is_bytes() ? (*levels)[byte_data()[element]] : real_data()[element];
  }
  /// Failure(bad_data) where the values are not numbers.
  void require_numbers() const;
  /// What arithmetic gives is neither words nor as it was written.
  void become_numbers();
  /// `mnist("train").image`; the reader alone where the user names no column.
  std::string label() const {
    if (origin.empty()) return name;
    return name == "values" || name.starts_with('(') ? origin : origin + "." + name;
  }
};

Column byte_column(std::string name, Shape row_shape, int64_t rows, std::vector<uint8_t> bytes,
                   std::shared_ptr<const Levels> levels);
Column real_column(std::string name, Shape row_shape, int64_t rows, std::vector<float> reals);

/// Byte b stands for b, or for b / 255.
std::shared_ptr<const Levels> whole_levels();
std::shared_ptr<const Levels> pixel_levels();

struct Table {
  std::string origin;
  std::vector<Column> columns;
  bool stands_for_vector = false;  // used as a value: all columns as one vector, not the first column

  int64_t rows() const { return columns.empty() ? 0 : columns.front().rows; }
  /// Failure(bad_data) that lists the columns there are when there is none of this name, or says why it is
  /// unusable.
  const Column& column(const std::string& name) const;
  /// What the table stands for where a value is needed.
  Column as_value() const;
};

/// All rows in order, some at a time, streamed or not: `visit` gets the first row's number, how many rows
/// there are, and their values.
void scan(const Column& column,
          const std::function<void(int64_t first, int64_t rows, const float* values)>& visit);

/// The numbers of all rows in order, some at a time, as many as make about a megabyte of values.
void scan_rows(int64_t rows, int64_t elements,
               const std::function<void(const int64_t* rows, int64_t first, int64_t n)>& visit);

/// The same column with all its rows in memory.
Column held(const Column& column);

/// The rows of `index`, in that order; storage is copied where `memory` has space (always without one), and
/// of a streamed column the index is kept.
Table take_rows(const Table& table, std::vector<int64_t> index, Memory* memory = nullptr);
/// Rows begin to end (exclusive), both within the rows; storage is shared.
Table slice_rows(const Table& table, int64_t begin, int64_t end);

}  // namespace data
