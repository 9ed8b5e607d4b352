// Finds the file of the running program, even if /proc is not mounted (a bare chroot, some containers).
#pragma once
#include <sys/auxv.h>

#include <filesystem>

/// Empty if the file cannot be found.
inline std::filesystem::path own_executable() {
  std::error_code error;
  std::filesystem::path linked = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) return linked;
  // The path by which the program was started. It is right as long as the working folder has not changed.
  const auto* started_as =
      reinterpret_cast<const char*>(getauxval(AT_EXECFN));  // NOLINT(performance-no-int-to-ptr)
  if (!started_as) return {};
  const std::filesystem::path found = std::filesystem::canonical(started_as, error);
  return error ? std::filesystem::path() : found;
}
