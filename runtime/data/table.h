// Tables of named columns, the results of readers and data expressions. A column is `rows` rows of
// `row_shape` values, stored as float32 or as bytes. A column of bytes (images, labels, comparisons) has a
// table of 256 values: element-wise arithmetic with numbers changes that table and copies no data. Columns
// share their storage and are never changed in place. A streamed column has no storage: its rows are read, or
// computed, when they are needed.
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

/// The number of elements of a shape; 1 for a scalar. Failure(bad_data) naming `what` if an axis is negative
/// or the number exceeds 2^40.
int64_t element_count(const Shape& shape, const std::string& what);
/// For example `[28, 28]`, or `[]` for a scalar.
std::string to_string(const Shape& shape);

struct Column {
  std::string name;
  std::string origin;  // the reader as written, for messages
  Shape row_shape;
  int64_t rows = 0;
  int64_t first_row = 0;                 // where row 0 lies in the storage, which slices share
  std::shared_ptr<const Levels> levels;  // for a column of bytes: the value of each byte; else null
  // Exactly one of these four is set.
  std::shared_ptr<const std::vector<uint8_t>> bytes;
  std::shared_ptr<const std::vector<float>> reals;
  std::shared_ptr<const RowSource<uint8_t>> byte_rows;
  std::shared_ptr<const RowSource<float>> real_rows;
  bool pixels = false;    // bytes of an image file, which a `category` variable takes as class indices
  std::string unusable;   // why the column cannot be used, if a reader found a reason
  std::string no_number;  // why the column cannot be used as numbers; empty if it can
  /// For a column of words: the sorted list of words. The column's values are places in this list.
  std::shared_ptr<const std::vector<std::string>> words;
  bool written = false;  // the cells of a text file as written: a variable of words takes them as words

  bool is_bytes() const { return levels != nullptr; }
  bool is_streamed() const { return byte_rows || real_rows; }
  int64_t row_elements() const;
  int64_t bytes_in_memory() const { return rows * row_elements() * (is_bytes() ? 1 : 4); }
  /// Reads the elements of n rows, streamed or not. Several threads may call it at once.
  void read(const int64_t* rows, int64_t n, float* to) const;
  void read(const int64_t* rows, int64_t n, uint8_t* to) const;  // a byte column's bytes
  /// Announces that these rows are read soon.
  void expect(const int64_t* rows, int64_t n) const;

  // Only for columns that are not streamed:
  const uint8_t* byte_data() const { return bytes->data() + first_row * row_elements(); }
  const float* real_data() const { return reals->data() + first_row * row_elements(); }
  /// The value of an element, counted over all rows.
  float at(int64_t element) const {
    return is_bytes() ? (*levels)[byte_data()[element]] : real_data()[element];
  }
  /// Failure(bad_data) if the values are not numbers.
  void require_numbers() const;
  /// Marks the column as numbers that were computed: neither words nor cells as written.
  void become_numbers();
  /// `mnist("train").image`, or only the reader if the column has no name in the program.
  std::string label() const {
    if (origin.empty()) return name;
    return name == "values" || name.starts_with('(') ? origin : origin + "." + name;
  }
};

Column byte_column(std::string name, Shape row_shape, int64_t rows, std::vector<uint8_t> bytes,
                   std::shared_ptr<const Levels> levels);
Column real_column(std::string name, Shape row_shape, int64_t rows, std::vector<float> reals);

/// The values of bytes: b itself (whole_levels), or b / 255 (pixel_levels).
std::shared_ptr<const Levels> whole_levels();
std::shared_ptr<const Levels> pixel_levels();

struct Table {
  std::string origin;
  std::vector<Column> columns;
  /// As a value, the table is a vector of all columns, which have one shape; otherwise it is the first
  /// column.
  bool stands_for_vector = false;

  int64_t rows() const { return columns.empty() ? 0 : columns.front().rows; }
  /// The column of this name. Failure(bad_data) if there is none, with the columns that there are, or if it
  /// is unusable, with the reason.
  const Column& column(const std::string& name) const;
  /// The column that the table stands for if it is used as a value.
  Column as_value() const;
};

/// The shape of a row if the columns, of one shape, are stacked on a new last axis: windows of vectors are
/// [length, width].
Shape shape_of_vectors(const std::vector<Column>& columns);

/// Visits all rows in order, a piece at a time, streamed or not. `visit` gets the number of the first row,
/// how many rows there are, and their values.
void scan(const Column& column,
          const std::function<void(int64_t first, int64_t rows, const float* values)>& visit);

/// Visits the numbers of all rows in order, in pieces with about a megabyte of values.
void scan_rows(int64_t rows, int64_t elements,
               const std::function<void(const int64_t* rows, int64_t first, int64_t n)>& visit);

/// The same column with all rows in memory.
Column held(const Column& column);

/// The rows of `index`, in that order. They are copied if `memory` has space; without `memory` there is no
/// limit. If the column is streamed, or there is no space, only the index is kept.
Table take_rows(const Table& table, std::vector<int64_t> index, Memory* memory = nullptr);
/// Rows begin to end (exclusive), both within the table. The storage is shared.
Table slice_rows(const Table& table, int64_t begin, int64_t end);

}  // namespace data
