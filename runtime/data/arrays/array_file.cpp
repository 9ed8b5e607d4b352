#include "runtime/data/arrays/array_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "runtime/data/notes.h"
#include "runtime/data/row_source.h"
#include "runtime/shared/closed_folder.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/print_error.h"
#include "runtime/shared/printable.h"

namespace data {
namespace fs = std::filesystem;
namespace {

/// Rows of numbers in a plain file. The file is read, not mapped into memory. If it is cut short during the
/// run, reading reports a Failure, while a mapped file would kill the process. A limit on the address space
/// does no harm either.
template <typename T>
class ArrayRows final : public RowSource<T> {
 public:
  ArrayRows(fs::path path, uint64_t begin, const ArrayLayout& layout)
      : path_(std::move(path)), begin_(begin), format_(layout.format), big_endian_(layout.big_endian) {
    row_elements_ = element_count(layout.shape, path_.string()) / std::max<int64_t>(1, layout.shape[0]);
    row_bytes_ = row_elements_ * byte_size(format_);
    file_ = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (file_ < 0)
      throw Failure(Exit::missing_input,
                    fmt::format("cannot open {}: {}", path_.string(), std::strerror(errno)));
    posix_fadvise(file_, 0, 0, POSIX_FADV_RANDOM);
  }
  ~ArrayRows() override { close(file_); }
  ArrayRows(const ArrayRows&) = delete;
  ArrayRows& operator=(const ArrayRows&) = delete;

  void read(const int64_t* rows, int64_t n, T* to) const override {
    std::vector<uint8_t> bytes;
    for (int64_t i = 0; i < n;) {
      const int64_t run = run_from(rows + i, n - i);
      if constexpr (std::is_same_v<T, uint8_t>) {
        read_at(rows[i], run, to + i * row_elements_);
      } else {
        bytes.resize(run * row_bytes_);
        read_at(rows[i], run, bytes.data());
        decode(format_, big_endian_, bytes.data(), run * row_elements_, to + i * row_elements_);
      }
      i += run;
    }
  }

  void expect(const int64_t* rows, int64_t n) const override {
    for (int64_t i = 0; i < n;) {
      const int64_t run = run_from(rows + i, n - i);
      posix_fadvise(file_, offset(rows[i]), run * row_bytes_, POSIX_FADV_WILLNEED);
      i += run;
    }
  }

 private:
  /// How many of the rows, from the first one, lie one after the other in the file; at most a piece of 4 MiB.
  int64_t run_from(const int64_t* rows, int64_t n) const {
    constexpr int64_t piece = int64_t{4} << 20;
    int64_t run = 1;
    while (run < n && rows[run] == rows[0] + run && (run + 1) * row_bytes_ <= piece) ++run;
    return run;
  }
  off_t offset(int64_t row) const { return static_cast<off_t>(begin_) + row * row_bytes_; }

  void read_at(int64_t row, int64_t rows, uint8_t* to) const {
    int64_t missing = rows * row_bytes_;
    off_t at = offset(row);
    while (missing > 0) {
      const ssize_t got = pread(file_, to, missing, at);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0)
        throw Failure(Exit::bad_data,
                      got == 0
                          ? fmt::format("{}: ends within row {}", path_.string(),
                                        (at - static_cast<off_t>(begin_)) / std::max<int64_t>(1, row_bytes_))
                          : fmt::format("{}: cannot be read: {}", path_.string(), std::strerror(errno)));
      to += got;
      at += got;
      missing -= got;
    }
  }

  fs::path path_;
  uint64_t begin_;
  NumberFormat format_;
  bool big_endian_;
  int64_t row_elements_ = 0, row_bytes_ = 0;
  int file_ = -1;
};

/// Changes Fortran order, in which the first axis varies fastest, to C order, in which the last axis does.
template <typename T>
std::vector<T> to_c_order(const std::vector<T>& values, const Shape& shape) {
  std::vector<T> result(values.size());
  Shape position(shape.size(), 0), stride(shape.size(), 1);
  for (size_t axis = 1; axis < shape.size(); ++axis) stride[axis] = stride[axis - 1] * shape[axis - 1];
  int64_t from = 0;
  for (T& value : result) {
    value = values[from];
    for (size_t axis = shape.size(); axis-- > 0;) {
      from += stride[axis];
      if (++position[axis] < shape[axis]) break;
      from -= stride[axis] * shape[axis];
      position[axis] = 0;
    }
  }
  return result;
}

Shape row_shape_of(const ArrayLayout& layout) { return {layout.shape.begin() + 1, layout.shape.end()}; }

Column in_memory(const ArrayLayout& layout, const std::string& name, std::vector<uint8_t> bytes) {
  if (layout.format == NumberFormat::u8) {
    if (layout.fortran_order) bytes = to_c_order(bytes, layout.shape);
    return byte_column(name, row_shape_of(layout), layout.shape[0], std::move(bytes), whole_levels());
  }
  std::vector<float> values = decode(layout.format, layout.big_endian, bytes.data(),
                                     static_cast<int64_t>(bytes.size()) / byte_size(layout.format));
  if (layout.fortran_order) values = to_c_order(values, layout.shape);
  return real_column(name, row_shape_of(layout), layout.shape[0], std::move(values));
}

/// Deletes the unpacked files of earlier versions of the same array.
void remove_others(const fs::path& folder, const std::string& beginning) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (entry.path().filename().string().starts_with(beginning) && entry.path().extension() != ".part")
      fs::remove(entry.path(), ignored);
}

Failure cannot_unpack(const fs::path& origin, const fs::path& target, const std::string& cause) {
  return Failure(Exit::cannot_write,
                 fmt::format("cannot unpack {} to {}: {}", origin.string(), target.string(), cause));
}

/// A folder that only this user can write: one in the cache if possible, else a temporary folder for this
/// process.
Unpacked place_for(const fs::path& cache, const fs::path& origin) {
  if (!cache.empty()) {
    const fs::path folder = cache / "unpacked";
    if (const std::string cause = make_closed_folder(folder); !cause.empty())
      throw cannot_unpack(origin, folder, cause);
    const std::string open_to_others = why_not_closed(folder);
    if (open_to_others.empty()) return {folder, nullptr};
    note_once(fmt::format("{} is not used: it {}", folder.string(), open_to_others));
  }
  try {
    const auto folder = std::make_shared<const PrivateFolder>();
    return {folder->path(), folder};
  } catch (const std::runtime_error& failure) {
    throw Failure(Exit::cannot_write, fmt::format("cannot unpack {}: {}", origin.string(), failure.what()));
  }
}

/// Writes all bytes that `next` gives to a temporary file and renames it to `target`, so that `target` is
/// never incomplete.
void write_pieces(const fs::path& origin, const fs::path& target,
                  const std::function<size_t(uint8_t* to, size_t space)>& next) {
  const fs::path aside = fmt::format("{}.{}.part", target.string(), getpid());
  const int file = open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) throw cannot_unpack(origin, target, std::strerror(errno));
  const auto give_up = [&](int code) {
    close(file);
    unlink(aside.c_str());
    return cannot_unpack(origin, target, std::strerror(code));
  };
  std::vector<uint8_t> bytes(size_t{1} << 20);
  try {
    while (const size_t got = next(bytes.data(), bytes.size()))
      for (size_t done = 0; done < got;) {
        const ssize_t wrote = write(file, bytes.data() + done, got - done);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) throw give_up(errno);
        done += wrote;
      }
  } catch (const Failure& failure) {
    if (failure.exit_code == Exit::cannot_write) throw;
    close(file);
    unlink(aside.c_str());
    throw;
  }
  if (close(file) != 0 || rename(aside.c_str(), target.c_str()) != 0)
    throw cannot_unpack(origin, target, std::strerror(errno));
}

}  // namespace

int64_t bytes_in_memory(const ArrayLayout& layout, const std::string& file) {
  const int64_t count = element_count(layout.shape, file);
  return layout.format == NumberFormat::u8 ? count : count * int64_t{sizeof(float)};
}

Column array_on_disk(const fs::path& path, uint64_t begin, const ArrayLayout& layout,
                     const std::string& name) {
  const uint64_t promised = element_count(layout.shape, path.string()) * byte_size(layout.format);
  if (layout.fortran_order)
    throw Failure(Exit::bad_data,
                  fmt::format("{}: an array in Fortran order is read from memory alone, and this one has {} "
                              "bytes; save it in C order, or raise VAEC_DATA_MEMORY",
                              path.string(), promised));
  std::error_code error;
  const uint64_t held = fs::file_size(path, error);
  if (!error && held < begin + promised)
    throw Failure(Exit::bad_data,
                  fmt::format("{}: ends after {} bytes, within an array of shape {} ({} bytes)",
                              path.string(), held, to_string(layout.shape), promised));
  Column column;
  column.name = name;
  column.row_shape = row_shape_of(layout);
  column.rows = layout.shape[0];
  if (layout.format == NumberFormat::u8) {
    column.byte_rows = std::make_shared<ArrayRows<uint8_t>>(path, begin, layout);
    column.levels = whole_levels();
  } else {
    column.real_rows = std::make_shared<ArrayRows<float>>(path, begin, layout);
  }
  return column;
}

Column read_array(ByteSource& source, const ArrayLayout& layout, const std::string& name,
                  const Placement& placement) {
  const int64_t count = element_count(layout.shape, source.name());
  const uint64_t promised = count * byte_size(layout.format);
  const std::string what = fmt::format("an array of shape {}", to_string(layout.shape));
  if (!placement.memory || placement.memory->take(bytes_in_memory(layout, source.name()))) {
    std::vector<uint8_t> bytes;
    source.read(bytes, promised, what);
    source.expect_end();
    return in_memory(layout, name, std::move(bytes));
  }
  if (source.is_plain()) {
    const uint64_t begin = source.position();
    Column column = array_on_disk(source.name(), begin, layout, name);
    if (fs::file_size(source.name()) > begin + promised) source.fail_as_too_long(begin + promised);
    return column;
  }
  uint64_t missing = promised;
  const Unpacked file = unpacked(
      placement.cache, source.file(), source.name() + name, promised, [&](uint8_t* to, size_t space) {
        const uint64_t got = source.read_some(to, std::min<uint64_t>(space, missing));
        if (got == 0 && missing > 0) source.fail_as_too_short(what, promised);
        missing -= got;
        if (missing == 0 && got == 0) source.expect_end();
        return got;
      });
  return array_on_disk(file.path, 0, layout, name);
}

Unpacked unpacked(const fs::path& cache, const fs::path& origin, const std::string& part, uint64_t size,
                  const std::function<size_t(uint8_t* to, size_t space)>& next) {
  struct stat status{};
  if (stat(origin.c_str(), &status) != 0)
    throw Failure(Exit::missing_input,
                  fmt::format("cannot open {}: {}", origin.string(), std::strerror(errno)));
  std::error_code error;
  const size_t place = std::hash<std::string>()(fs::absolute(origin, error).string() + "\n" + part);
  const std::string beginning = fmt::format("{:016x}-", place);
  Unpacked file = place_for(cache, origin);
  const fs::path folder = file.path;
  file.path /=
      fmt::format("{}{}-{}.{:09}", beginning, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  // A kept file of another length was not written completely, or was changed later.
  struct stat kept{};
  if (lstat(file.path.c_str(), &kept) == 0 && S_ISREG(kept.st_mode) && is_ours_alone(kept) &&
      static_cast<uint64_t>(kept.st_size) == size)
    return file;
  remove_others(folder, beginning);
  print_error("{} is larger than the memory for data: unpacked once, to {}\n", printable(origin.string()),
              printable(file.path.string()));
  write_pieces(origin, file.path, next);
  return file;
}

}  // namespace data
