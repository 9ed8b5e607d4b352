// A folder for what lies on disk for a moment.
#pragma once
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

/// In the system's folder for temporary files, under a name that nobody can guess; only this user can open
/// it. Gone, with what it holds, when this is. std::runtime_error where there is no such place.
class PrivateFolder {
 public:
  PrivateFolder() {
    std::error_code none;
    std::string name = std::filesystem::temp_directory_path(none) / "vaec-XXXXXX";
    if (none || mkdtemp(name.data()) == nullptr)
      throw std::runtime_error("there is no temporary folder to write to: set TMPDIR to one");
    path_ = name;
  }
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  ~PrivateFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};
