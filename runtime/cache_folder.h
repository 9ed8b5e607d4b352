// The folder of what vaec and executables keep for later runs: $VAEC_CACHE, else $XDG_CACHE_HOME/vaec, else
// ~/.cache/vaec. Whatever names no absolute path is passed over; only HOME is taken as it is.
#pragma once
#include <cstdlib>
#include <filesystem>

/// Empty where there is none.
inline std::filesystem::path cache_folder() {
  namespace fs = std::filesystem;
  if (const char* chosen = std::getenv("VAEC_CACHE"); chosen && fs::path(chosen).is_absolute()) return chosen;
  // A relative folder is to be ignored, says the specification of XDG_CACHE_HOME.
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && fs::path(cache).is_absolute())
    return fs::path(cache) / "vaec";
  if (const char* home = std::getenv("HOME"); home && *home) return fs::path(home) / ".cache" / "vaec";
  return {};
}

/// Whether compilations may keep there what they made. Not where VAEC_CACHE is `off`, nor where it names no
/// folder that is the same from everywhere.
inline bool compilations_are_cached() {
  const char* chosen = std::getenv("VAEC_CACHE");
  return !chosen || !*chosen || std::filesystem::path(chosen).is_absolute();
}
