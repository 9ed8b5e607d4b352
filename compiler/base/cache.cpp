#include "compiler/base/cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <system_error>
#include <vector>

#include "runtime/shared/cache_folder.h"
#include "runtime/shared/closed_folder.h"
#include "runtime/shared/content_hash.h"

namespace base {
namespace {
namespace fs = std::filesystem;

constexpr const char* tidied = "tidied";  // its time is that of the last tidying
// Not more often, because a full folder has thousands of files.
constexpr auto look_every = std::chrono::minutes(1);

fs::path file_of(const fs::path& folder, const std::string& key) {
  return folder / fmt::format("{:016x}", content_hash(key));
}

/// The text in front of the value in its file.
std::string head_of(const std::string& key, const std::string& value) {
  return fmt::format("vaec {} {} {:016x}\n{}", key.size(), value.size(), content_hash(value), key);
}

void set_used_now(const fs::path& path) { utimensat(AT_FDCWD, path.c_str(), nullptr, 0); }

/// The bytes of a file in the folder, at most `most_bytes`. The file must be a regular file that only this
/// user can write. Links are not followed, and pipes and devices are not waited for.
std::optional<std::string> content_of(int folder, const std::string& name, uint64_t most_bytes) {
  const Descriptor file(openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (file.number() < 0 || fstat(file.number(), &status) != 0) return {};
  if (!S_ISREG(status.st_mode) || !is_ours_alone(status)) return {};
  if (static_cast<uint64_t>(status.st_size) > most_bytes) return {};
  std::string content(static_cast<size_t>(status.st_size), '\0');
  size_t got = 0;
  while (got < content.size()) {
    const ssize_t part = read(file.number(), content.data() + got, content.size() - got);
    if (part < 0 && errno == EINTR) continue;
    if (part <= 0) return {};
    got += static_cast<size_t>(part);
  }
  return content;
}

bool looked_lately(const fs::path& folder) {
  std::error_code none;
  const auto then = fs::last_write_time(folder / tidied, none);
  const auto now = fs::file_time_type::clock::now();
  return !none && then <= now && now - then < look_every;
}

/// Removes the files that were not used for the longest time, until a quarter of the space is free.
void tidy(const fs::path& folder, uint64_t most_bytes) {
  struct File {
    fs::file_time_type used;
    uint64_t bytes;
    fs::path path;
  };
  std::vector<File> files;
  uint64_t bytes = 0;
  std::error_code ignored;
  std::ofstream(folder / tidied, std::ios::trunc).close();
  set_used_now(folder / tidied);
  for (fs::directory_iterator entry(folder, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    std::error_code gone;
    if (!entry->is_regular_file(gone) || entry->path().filename() == tidied) continue;
    const uint64_t size = entry->file_size(gone);
    if (gone) continue;
    const auto used = entry->last_write_time(gone);
    if (gone) continue;
    files.push_back({used, size, entry->path()});
    bytes += size;
  }
  if (bytes <= most_bytes) return;
  std::ranges::sort(files, {}, &File::used);
  for (const File& file : files) {
    if (bytes <= most_bytes - most_bytes / 4) return;
    if (fs::remove(file.path, ignored)) bytes -= file.bytes;
  }
}

}  // namespace

Cache::Cache(const std::string& kind, uint64_t most_bytes) : most_bytes_(most_bytes) {
  if (const fs::path root = cache_folder(); compilations_are_cached() && !root.empty()) folder_ = root / kind;
}

Cache::~Cache() {
  if (added_ && !looked_lately(folder_)) tidy(folder_, most_bytes_);
}

std::string Cache::why_off(const std::string& kind) {
  const fs::path root = cache_folder();
  if (!compilations_are_cached()) {
    const std::string chosen = std::getenv("VAEC_CACHE");
    return "VAEC_CACHE=" + chosen + (chosen == "off" ? "" : " is neither `off` nor an absolute path");
  }
  if (root.empty()) return "neither VAEC_CACHE, XDG_CACHE_HOME nor HOME names a folder";
  fs::path there = root / kind;  // the part of the path that exists
  std::error_code ignored;
  const bool whole = fs::exists(there, ignored);
  while (!fs::exists(there, ignored) && there.has_relative_path()) there = there.parent_path();
  if (!fs::is_directory(there, ignored) || access(there.c_str(), W_OK) != 0)
    return root.string() + " cannot be written";
  const std::string refused = whole ? why_not_closed(there) : "";
  return refused.empty() ? "" : there.string() + " " + refused;
}

std::optional<std::string> Cache::find(const std::string& key) const {
  if (folder_.empty()) return {};
  const Descriptor folder(open_folder(folder_));
  if (!why_not_closed(folder.number()).empty()) return {};
  const fs::path path = file_of(folder_, key);
  const std::optional<std::string> content = content_of(folder.number(), path.filename(), most_bytes_);
  if (!content) return {};
  const size_t line = content->find('\n');
  if (line == std::string::npos) return {};
  const size_t begin = line + 1 + key.size();
  if (content->size() < begin) return {};
  std::string value = content->substr(begin);
  if (content->compare(0, begin, head_of(key, value)) != 0) return {};
  set_used_now(path);
  return value;
}

void Cache::keep(const std::string& key, const std::string& value) {
  if (folder_.empty()) return;
  const fs::path path = file_of(folder_, key);
  std::error_code failed;
  // Cached code is linked into programs, so nobody else may be able to write it.
  if (!make_closed_folder(folder_).empty() || !why_not_closed(folder_).empty()) return;
  // Written to another name, then renamed, because several compilations may run at the same time.
  static std::atomic<unsigned> count = 0;
  fs::path aside = path;
  aside += fmt::format(".{}-{}", getpid(), ++count);
  std::ofstream file(aside, std::ios::binary);
  fs::permissions(aside, fs::perms::owner_read | fs::perms::owner_write, failed);
  file << head_of(key, value) << value;
  file.close();
  if (file) fs::rename(aside, path, failed);
  if (!file || failed) {
    fs::remove(aside, failed);
    return;
  }
  added_ = true;
}

}  // namespace base
