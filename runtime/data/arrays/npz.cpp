#include "runtime/data/arrays/npz.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zip.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "runtime/data/arrays/npy.h"
#include "runtime/shared/failure.h"

namespace data {

struct CloseArchive {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseEntry {
  void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};

static std::unique_ptr<zip_t, CloseArchive> open_archive(const std::string& path) {
  int code = 0;
  errno = 0;
  zip_t* archive = zip_open(path.c_str(), ZIP_RDONLY, &code);
  if (!archive && (code == ZIP_ER_OPEN || code == ZIP_ER_NOENT))
    throw Failure(Exit::missing_input,
                  fmt::format("cannot open {}: {}", path, std::strerror(errno ? errno : ENOENT)));
  if (!archive) throw Failure(Exit::bad_data, fmt::format("{}: not an NPZ file, or a broken one", path));
  return std::unique_ptr<zip_t, CloseArchive>(archive);
}

Column read_npz(const std::filesystem::path& path, const std::string& array, const Placement& placement) {
  auto archive = open_archive(path.string());
  zip_int64_t index = zip_name_locate(archive.get(), (array + ".npy").c_str(), 0);
  if (index < 0) {
    std::vector<std::string> names;
    for (zip_int64_t i = 0; i < zip_get_num_entries(archive.get(), 0); ++i) {
      const char* entry = zip_get_name(archive.get(), i, 0);
      std::string name = entry ? entry : "";
      if (name.ends_with(".npy")) names.push_back(fmt::format("`{}`", name.substr(0, name.size() - 4)));
    }
    throw Failure(Exit::bad_data,
                  fmt::format("{} has no array `{}`; it has {}", path.string(), array,
                              names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
  }
  std::unique_ptr<zip_file_t, CloseEntry> entry(zip_fopen_index(archive.get(), index, 0));
  auto broken = [&](const char* cause) {
    return Failure(Exit::bad_data,
                   fmt::format("{}: array `{}` cannot be read: {}", path.string(), array, cause));
  };
  if (!entry) throw broken(zip_strerror(archive.get()));
  const std::string file = fmt::format("{}, array `{}`", path.string(), array);
  const auto next = [&](uint8_t* to, size_t space) -> size_t {
    const zip_int64_t got = zip_fread(entry.get(), to, space);
    if (got < 0) throw broken(zip_error_strerror(zip_file_get_error(entry.get())));
    return static_cast<size_t>(got);
  };
  zip_stat_t status;
  const bool known = zip_stat_index(archive.get(), index, 0, &status) == 0 && (status.valid & ZIP_STAT_SIZE);
  if (known && placement.memory && !placement.memory->has(static_cast<int64_t>(status.size))) {
    const Unpacked file = unpacked(placement.cache, path, array, status.size, next);
    ByteSource source(file.path);
    return read_npy(source, "values", placement);
  }
  // Read in pieces, because the size that the archive's directory promises may be wrong.
  std::vector<uint8_t> bytes;
  for (;;) {
    const size_t end = bytes.size();
    bytes.resize(end + std::clamp<size_t>(end, 1 << 16, 1 << 30));
    const size_t got = next(bytes.data() + end, bytes.size() - end);
    bytes.resize(end + got);
    if (got == 0) break;
  }
  ByteSource source(std::move(bytes), file, path);
  return read_npy(source, "values", placement);
}

void write_npz(const std::filesystem::path& path,
               const std::vector<std::pair<std::string, std::vector<uint8_t>>>& arrays) {
  const auto cannot = [&](const std::string& cause) {
    return Failure(Exit::cannot_write, fmt::format("cannot write {}: {}", path.string(), cause));
  };
  int code = 0;
  errno = 0;
  std::unique_ptr<zip_t, CloseArchive> archive(zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code));
  if (!archive) throw cannot(errno ? std::strerror(errno) : fmt::format("libzip's error {}", code));
  for (const auto& [name, bytes] : arrays) {
    zip_source_t* source = zip_source_buffer(archive.get(), bytes.data(), bytes.size(), 0);
    const zip_int64_t index =
        source ? zip_file_add(archive.get(), (name + ".npy").c_str(), source, ZIP_FL_ENC_UTF_8) : -1;
    if (index < 0) {
      zip_source_free(source);
      throw cannot(zip_strerror(archive.get()));
    }
    zip_set_file_compression(archive.get(), static_cast<zip_uint64_t>(index), ZIP_CM_STORE, 0);
    // A fixed time of the file: the same values then always give the same bytes.
    zip_file_set_mtime(archive.get(), static_cast<zip_uint64_t>(index), 315532800, 0);
  }
  if (zip_close(archive.get()) != 0) throw cannot(zip_strerror(archive.get()));
  [[maybe_unused]] const zip_t* closed = archive.release();
}

}  // namespace data
