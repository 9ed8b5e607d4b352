// What compilations keep for those after them: values by key, a small file each, in a folder of the
// cache (runtime/cache_folder.h). In: a key that says everything the value depends on. Holds: only a whole
// entry of an equal key counts; compilations may run side by side; a folder that cannot be read or written
// means no cache, never a failure. Entries become part of programs: a folder or file that another user owns
// or may write is not used, links are not followed.
#pragma once
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace base {

class Cache {
 public:
  /// `kind` names the folder. Once its files are more than `most_bytes` in all, those unused for longest go.
  explicit Cache(const std::string& kind, uint64_t most_bytes = uint64_t{256} << 20);
  Cache(const Cache&) = delete;
  /// Tidies, if anything was added.
  ~Cache();

  /// Threads may call both.
  std::optional<std::string> find(const std::string& key) const;
  void keep(const std::string& key, const std::string& value);

  /// Why entries of the kind are neither read nor written, for the user; empty if they are.
  static std::string why_off(const std::string& kind);

  /// Empty where nothing is kept.
  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
  uint64_t most_bytes_;
  std::atomic<bool> added_ = false;
};

}  // namespace base
