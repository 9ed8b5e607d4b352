// Files of the driver: reads the input, writes outputs under another name and renames them, finds the
// runtime. Throws Failure with the exit code for the error.
#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "runtime/shared/private_folder.h"

namespace vaec {

/// Reads a regular file or a pipe, at most 16 MiB.
std::string read_file(const std::string& path);

/// Writes the whole content, or changes nothing.
void write_file(const std::filesystem::path& path, const std::string& content);

/// A file beside `output` with its own name. It is removed with this object, unless it became the output.
/// Links are followed. A device, such as /dev/null, is written to and never replaced.
class Aside {
 public:
  Aside(const std::filesystem::path& output, const std::string& ending);
  Aside(const Aside&) = delete;
  ~Aside();

  std::string path() const { return path_.string(); }
  void write(const std::string& content) const;
  void become_output() const;

 private:
  std::filesystem::path output_;
  /// Holds the content for a device before it is written; null for a file.
  std::unique_ptr<PrivateFolder> folder_;
  std::filesystem::path path_;
};

/// The path of libvaert.so: in ../lib of this executable, or in lib of the folder that VAEC_HOME names.
/// Throws if executables cannot name that folder.
std::string runtime_library();

}  // namespace vaec
