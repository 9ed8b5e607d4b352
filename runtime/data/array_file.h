// Arrays of numbers as files lay them out, as columns whose rows are the first axis. Unsigned bytes stay
// bytes. What `memory` has no space for is read from the file row by row as it is needed; a compressed file
// is then unpacked once, into a file of `cache`.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "runtime/data/byte_source.h"
#include "runtime/data/memory.h"
#include "runtime/data/number_format.h"
#include "runtime/data/table.h"
#include "runtime/private_folder.h"

namespace data {

/// Where arrays may go.
struct Placement {
  Memory* memory = nullptr;     // none: without bounds
  std::filesystem::path cache;  // for unpacked files; empty: a folder of their own, gone once they are open
};

struct ArrayLayout {
  Shape shape;  // with at least one axis
  NumberFormat format = NumberFormat::f32;
  bool big_endian = false;
  bool fortran_order = false;  // the first axis fastest
};

/// The array that begins where `source` stands and, if `to_end`, ends with it.
Column read_array(ByteSource& source, const ArrayLayout& layout, const std::string& name,
                  const Placement& placement);

/// Rows of an array that begins at byte `begin` of a plain file. Failure(bad_data) where the file is too
/// short.
Column array_on_disk(const std::filesystem::path& path, uint64_t begin, const ArrayLayout& layout,
                     const std::string& name);

/// Bytes of a column in memory.
int64_t bytes_in_memory(const ArrayLayout& layout, const std::string& file);

/// A file, to be opened while this lives.
struct Unpacked {
  std::filesystem::path path;
  std::shared_ptr<const PrivateFolder> folder;  // where no cache keeps it
};

/// The bytes that `next` gives, in a file of `cache` that is made when it is not there: the same for the
/// same `origin`, a file, as long as its size and time do not change; a copy that is not `size` bytes long is
/// made anew. Where others can write there, or there is no cache, nothing that is there is read and nothing
/// kept. Failure(cannot_write) with the path and the cause, Failure(missing_input) where there is no
/// `origin`.
Unpacked unpacked(const std::filesystem::path& cache, const std::filesystem::path& origin,
                  const std::string& part, uint64_t size,
                  const std::function<size_t(uint8_t* to, size_t space)>& next);

}  // namespace data
