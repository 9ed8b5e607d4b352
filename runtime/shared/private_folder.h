// A folder for files that are needed for a short time.
#pragma once
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

/// The folder lies in the system's folder for temporary files, under a name that nobody can guess. Only this
/// user can open it. The destructor deletes it and its contents. The constructor throws std::runtime_error if
/// there is no temporary folder to write to.
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
