#include "runtime/core/run/whole_folder.h"

#include <fmt/format.h>

#include "runtime/shared/failure.h"

namespace core {
namespace fs = std::filesystem;

void cannot_write(const fs::path& path, const std::string& cause) {
  throw Failure(Exit::cannot_write, fmt::format("cannot write {}: {}", path.string(), cause));
}

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) cannot_write(path, error.message());
}

void write_aside(const fs::path& aside, const std::function<void(const fs::path&)>& write) {
  std::error_code error;
  fs::remove_all(aside, error);
  make_folder(aside);
  try {
    write(aside);
  } catch (...) {
    fs::remove_all(aside, error);
    throw;
  }
}

void rename_to(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) cannot_write(to, error.message());
}

}  // namespace core
