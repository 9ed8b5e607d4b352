// Values that a compilation keeps for later ones: by key, each in a small file, in a folder of the cache
// (runtime/shared/cache_folder.h). In: a key that contains everything the value depends on. Holds: only a
// complete entry with an equal key is used. Several compilations may run at the same time. If a folder cannot
// be read or written, nothing is cached, and nothing fails. Entries become part of programs, so a folder or
// file that another user owns or can write is not used, and links are not followed.
#pragma once
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace base {

class Cache {
 public:
  /// `kind` is the name of the folder. If its files have more than `most_bytes` together, those that were not
  /// used for the longest time are removed.
  explicit Cache(const std::string& kind, uint64_t most_bytes = uint64_t{256} << 20);
  Cache(const Cache&) = delete;
  /// Removes old files if anything was added.
  ~Cache();

  /// Several threads may call `find` and `keep` at the same time.
  std::optional<std::string> find(const std::string& key) const;
  void keep(const std::string& key, const std::string& value);

  /// Why entries of this kind are not read or written, as text for the user. Empty if they are.
  static std::string why_off(const std::string& kind);

  /// Empty if nothing is cached.
  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
  uint64_t most_bytes_;
  std::atomic<bool> added_ = false;
};

}  // namespace base
