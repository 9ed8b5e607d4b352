// Files of the driver: reading the input, writing outputs aside and renaming them, finding the runtime.
// Throws Failure with the exit code of what went wrong.
#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "runtime/private_folder.h"

namespace vaec {

/// A regular file or a pipe of at most 16 MiB.
std::string read_file(const std::string& path);

/// The whole content or nothing.
void write_file(const std::filesystem::path& path, const std::string& content);

/// A file beside `output` under a name of its own, gone when this is unless it took the output's place. Links
/// are followed; a device, such as /dev/null, is written to and never replaced.
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
  std::unique_ptr<PrivateFolder> folder_;  // where a device's content is written first; none for a file
  std::filesystem::path path_;
};

/// libvaert.so: in ../lib of this executable, else in lib of the folder that VAEC_HOME names. Refused where
/// executables could not name its folder.
std::string runtime_library();

}  // namespace vaec
