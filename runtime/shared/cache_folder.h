// The cache: the folder in which vaec and executables keep files for later runs. It is $VAEC_CACHE, else
// $XDG_CACHE_HOME/vaec, else ~/.cache/vaec. The first two are ignored if they are not absolute paths; HOME is
// used as it is.
#pragma once
#include <cstdlib>
#include <filesystem>

/// The cache folder; empty if none of the three variables names one.
inline std::filesystem::path cache_folder() {
  namespace fs = std::filesystem;
  if (const char* chosen = std::getenv("VAEC_CACHE"); chosen && fs::path(chosen).is_absolute()) return chosen;
  // The specification of XDG_CACHE_HOME says that a relative path must be ignored.
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && fs::path(cache).is_absolute())
    return fs::path(cache) / "vaec";
  if (const char* home = std::getenv("HOME"); home && *home) return fs::path(home) / ".cache" / "vaec";
  return {};
}

/// Whether compilations may keep their results in the cache. They may not if VAEC_CACHE is `off` or another
/// relative path: such a path names a different folder from each working folder.
inline bool compilations_are_cached() {
  const char* chosen = std::getenv("VAEC_CACHE");
  return !chosen || !*chosen || std::filesystem::path(chosen).is_absolute();
}
