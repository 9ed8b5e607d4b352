#include "runtime/data/arrays/hdf5.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <type_traits>

#include "runtime/data/arrays/byte_source.h"
#include "runtime/data/optional_library.h"
#include "runtime/data/read_ahead.h"
#include "runtime/hdf5/hdf5_api.h"
#include "runtime/shared/failure.h"

namespace data {
namespace {

constexpr char hdf5_library[] = "libvaert_hdf5.so";
constexpr size_t error_size = 4096;

/// A dataset of numbers, read through libhdf5.
struct Dataset {
  std::string file;
  void* handle = nullptr;
  vaert_hdf5_read_function* read = nullptr;
  vaert_hdf5_close_function* close = nullptr;
  vaert_hdf5_array array{};

  Dataset(const std::filesystem::path& path, const std::string& name)
      : file(path.string()),
        read(function_of<vaert_hdf5_read_function>(hdf5_library, "vaert_hdf5_read")),
        close(function_of<vaert_hdf5_close_function>(hdf5_library, "vaert_hdf5_close")) {
    std::array<char, error_size> error{};
    const auto open = function_of<vaert_hdf5_open_function>(hdf5_library, "vaert_hdf5_open");
    handle = open(file.c_str(), name.c_str(), &array, error.data(), error.size());
    if (!handle) fail_in(file, error.data());
  }
  ~Dataset() {
    if (handle) close(handle);
  }
  Dataset(const Dataset&) = delete;
  Dataset& operator=(const Dataset&) = delete;
};

NumberFormat format_of(const vaert_hdf5_array& array) {
  using enum NumberFormat;
  if (array.is_float) return array.bytes == 2 ? f16 : array.bytes == 4 ? f32 : f64;
  if (array.is_signed) return array.bytes == 1 ? i8 : array.bytes == 2 ? i16 : array.bytes == 4 ? i32 : i64;
  return array.bytes == 1 ? u8 : array.bytes == 2 ? u16 : array.bytes == 4 ? u32 : u64;
}

template <typename T>
class DatasetRows final : public RowSource<T> {
 public:
  DatasetRows(std::shared_ptr<const Dataset> dataset, const ArrayLayout& layout)
      : dataset_(std::move(dataset)), format_(layout.format) {
    elements_ = element_count({layout.shape.begin() + 1, layout.shape.end()}, dataset_->file);
  }
  void read(const int64_t* rows, int64_t n, T* to) const override {
    std::vector<uint8_t> bytes;
    std::array<char, error_size> error{};
    for (int64_t i = 0; i < n;) {
      int64_t run = 1;
      while (i + run < n && rows[i + run] == rows[i] + run) ++run;
      bytes.resize(run * elements_ * byte_size(format_));
      if (dataset_->read(dataset_->handle, rows[i], run, bytes.data(), error.data(), error.size()) != 0)
        fail_in(dataset_->file, error.data());
      if constexpr (std::is_same_v<T, uint8_t>)
        std::copy(bytes.begin(), bytes.end(), to + i * elements_);
      else
        decode(format_, false, bytes.data(), run * elements_, to + i * elements_);
      i += run;
    }
  }
  void expect(const int64_t*, int64_t) const override {}

 private:
  std::shared_ptr<const Dataset> dataset_;
  NumberFormat format_;
  int64_t elements_ = 0;
};

template <typename T>
std::shared_ptr<const RowSource<T>> rows_of(std::shared_ptr<const Dataset> dataset, const ArrayLayout& layout,
                                            int64_t elements, int64_t ahead) {
  auto rows = std::make_shared<DatasetRows<T>>(std::move(dataset), layout);
  if (ahead == 0) return rows;
  return std::make_shared<ReadAhead<T>>(std::move(rows), elements, ahead, 1);
}

}  // namespace

Column read_hdf5(const std::filesystem::path& path, const std::string& name, const Placement& placement) {
  const auto dataset = std::make_shared<const Dataset>(path, name);
  const vaert_hdf5_array& array = dataset->array;
  ArrayLayout layout;
  layout.shape.assign(array.shape, array.shape + array.axes);
  layout.format = format_of(array);
  layout.big_endian = array.big_endian != 0;
  Column column;
  column.name = "values";
  column.row_shape.assign(layout.shape.begin() + 1, layout.shape.end());
  column.rows = layout.shape[0];
  if (layout.format == NumberFormat::u8) column.levels = whole_levels();
  element_count(layout.shape, dataset->file);
  const bool fits = !placement.memory || placement.memory->take(column.bytes_in_memory());
  if (!fits && array.offset >= 0)
    return array_on_disk(path, static_cast<uint64_t>(array.offset), layout, column.name);
  const int64_t ahead = fits ? 0 : placement.memory->for_read_ahead();
  if (column.is_bytes())
    column.byte_rows = rows_of<uint8_t>(dataset, layout, column.row_elements(), ahead);
  else
    column.real_rows = rows_of<float>(dataset, layout, column.row_elements(), ahead);
  return fits ? held(column) : column;
}

}  // namespace data
