#include "runtime/data/npz.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zip.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "runtime/data/npy.h"
#include "runtime/failure.h"

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

Column read_npz(const std::filesystem::path& path, const std::string& array) {
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
  // Read piece by piece: the size in the archive's directory is a promise, not a fact.
  std::vector<uint8_t> bytes;
  for (;;) {
    const size_t end = bytes.size();
    bytes.resize(end + std::clamp<size_t>(end, 1 << 16, 1 << 30));
    zip_int64_t got = zip_fread(entry.get(), bytes.data() + end, bytes.size() - end);
    if (got < 0) throw broken(zip_error_strerror(zip_file_get_error(entry.get())));
    bytes.resize(end + static_cast<size_t>(got));
    if (got == 0) break;
  }
  return parse_npy(bytes, fmt::format("{}, array `{}`", path.string(), array), "values");
}

}  // namespace data
