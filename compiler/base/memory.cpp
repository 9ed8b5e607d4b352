#include "compiler/base/memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

#include "runtime/cache_folder.h"
#include "runtime/content_hash.h"

namespace base {
namespace {
namespace fs = std::filesystem;

constexpr const char* tidied = "tidied";              // a file as old as the last look at all of them
constexpr auto look_every = std::chrono::minutes(1);  // a full folder has thousands of files to look at

fs::path file_of(const fs::path& folder, const std::string& key) {
  return folder / fmt::format("{:016x}", content_hash(key));
}

/// What stands before the value in its file.
std::string head_of(const std::string& key, const std::string& value) {
  return fmt::format("vaec {} {} {:016x}\n{}", key.size(), value.size(), content_hash(value), key);
}

void set_used_now(const fs::path& path) { utimensat(AT_FDCWD, path.c_str(), nullptr, 0); }

bool looked_lately(const fs::path& folder) {
  std::error_code none;
  const auto then = fs::last_write_time(folder / tidied, none);
  const auto now = fs::file_time_type::clock::now();
  return !none && then <= now && now - then < look_every;
}

/// Removes the files unused for longest until a quarter of the room is free.
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

Memory::Memory(const std::string& kind, uint64_t most_bytes) : most_bytes_(most_bytes) {
  if (const fs::path root = cache_folder(); compilations_are_remembered() && !root.empty())
    folder_ = root / kind;
}

Memory::~Memory() {
  if (added_ && !looked_lately(folder_)) tidy(folder_, most_bytes_);
}

std::optional<std::string> Memory::recall(const std::string& key) const {
  if (folder_.empty()) return {};
  const fs::path path = file_of(folder_, key);
  std::ifstream file(path, std::ios::binary);
  if (!file) return {};
  std::string content(std::istreambuf_iterator<char>(file), {});
  const size_t line = content.find('\n');
  if (line == std::string::npos) return {};
  const size_t begin = line + 1 + key.size();
  if (content.size() < begin) return {};
  std::string value = content.substr(begin);
  if (content.compare(0, begin, head_of(key, value)) != 0) return {};
  set_used_now(path);
  return value;
}

void Memory::remember(const std::string& key, const std::string& value) {
  if (folder_.empty()) return;
  const fs::path path = file_of(folder_, key);
  std::error_code failed;
  // What lies there is linked into programs: nobody else may write it.
  if (fs::create_directories(folder_, failed)) fs::permissions(folder_, fs::perms::owner_all, failed);
  // Written aside, then renamed: compilations may run side by side.
  static std::atomic<unsigned> count = 0;
  fs::path aside = path;
  aside += fmt::format(".{}-{}", getpid(), ++count);
  std::ofstream file(aside, std::ios::binary);
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
