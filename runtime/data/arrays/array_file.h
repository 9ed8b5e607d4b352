// Reads arrays of numbers as files store them, and gives columns whose rows are the first axis. Unsigned
// bytes stay bytes. An array that `memory` has no space for stays in the file, and its rows are read when
// they are needed. If the file is compressed, the array is first unpacked into a file of `cache`.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "runtime/data/arrays/byte_source.h"
#include "runtime/data/arrays/number_format.h"
#include "runtime/data/memory.h"
#include "runtime/data/table.h"
#include "runtime/shared/private_folder.h"

namespace data {

/// Where arrays may be kept.
struct Placement {
  Memory* memory = nullptr;     // null: no limit
  std::filesystem::path cache;  // for unpacked files; empty: use a temporary folder
};

struct ArrayLayout {
  Shape shape;  // has at least one axis
  NumberFormat format = NumberFormat::f32;
  bool big_endian = false;
  bool fortran_order = false;  // the first axis varies fastest
};

/// The array that begins at the current position of `source` and ends where the source ends.
Column read_array(ByteSource& source, const ArrayLayout& layout, const std::string& name,
                  const Placement& placement);

/// Rows of an array that begins at byte `begin` of a plain file. Failure(bad_data) if the file is too short.
Column array_on_disk(const std::filesystem::path& path, uint64_t begin, const ArrayLayout& layout,
                     const std::string& name);

/// How many bytes a column takes in memory.
int64_t bytes_in_memory(const ArrayLayout& layout, const std::string& file);

/// A file that can be opened as long as this object lives.
struct Unpacked {
  std::filesystem::path path;
  std::shared_ptr<const PrivateFolder> folder;  // set if the cache does not keep the file
};

/// Writes the bytes that `next` gives to a file of `cache`, or finds the file there from an earlier call. The
/// same array (`part`) of the same file (`origin`) is found again as long as size and time of `origin` do not
/// change. A kept file that is not `size` bytes long is written again. Without a cache, or if other users can
/// write to it, a temporary folder is used and nothing is kept. Failure(cannot_write) with the path and the
/// cause, Failure(missing_input) if `origin` does not exist.
Unpacked unpacked(const std::filesystem::path& cache, const std::filesystem::path& origin,
                  const std::string& part, uint64_t size,
                  const std::function<size_t(uint8_t* to, size_t space)>& next);

}  // namespace data
