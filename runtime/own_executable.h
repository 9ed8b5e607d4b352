// The file of the running program, also where /proc is not mounted (a bare chroot, some containers).
#pragma once
#include <sys/auxv.h>

#include <filesystem>

/// Empty where it cannot be known.
inline std::filesystem::path own_executable() {
  std::error_code error;
  std::filesystem::path linked = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) return linked;
  // As the program was started: right as long as the working folder is the one that it was started in.
  const auto* started_as =
      reinterpret_cast<const char*>(getauxval(AT_EXECFN));  // NOLINT(performance-no-int-to-ptr)
  if (!started_as) return {};
  const std::filesystem::path found = std::filesystem::canonical(started_as, error);
  return error ? std::filesystem::path() : found;
}
