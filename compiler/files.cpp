#include "compiler/files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>

#include "compiler/failure.h"

namespace vaec {
namespace fs = std::filesystem;

std::string read_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || fs::is_directory(path) || !(text << file.rdbuf())) {
    // An empty file sets failbit too: nothing was inserted.
    if (file && fs::is_regular_file(path) && fs::file_size(path) == 0) return "";
    const char* cause = fs::is_directory(path) ? "it is a folder" : std::strerror(errno);
    throw Failure(Exit::missing_input, fmt::format("cannot read {}: {}", path, cause));
  }
  return text.str();
}

Aside::Aside(const fs::path& output, const std::string& ending)
    : path_(output.string() + fmt::format(".{}{}", getpid(), ending)) {}

Aside::~Aside() {
  std::error_code ignored;
  fs::remove(path_, ignored);
}

void Aside::rename_to(const fs::path& output) const {
  std::error_code error;
  fs::rename(path_, output, error);
  if (error)
    throw Failure(Exit::cannot_write, fmt::format("cannot write {}: {}", output.string(), error.message()));
}

void write_file(const fs::path& path, const std::string& content) {
  const Aside aside(path, ".tmp");
  errno = 0;
  std::ofstream file(aside.path(), std::ios::binary);
  file << content;
  file.close();
  if (!file) {
    throw Failure(Exit::cannot_write,
                  fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
  }
  aside.rename_to(path);
}

std::string runtime_library() {
  const fs::path own = fs::read_symlink("/proc/self/exe");
  const fs::path library = own.parent_path().parent_path() / "lib" / "libvaert.so";
  if (!fs::exists(library)) {
    throw Failure(Exit::bad_configuration, fmt::format("the runtime {} is missing", library.string()));
  }
  return library.string();
}

}  // namespace vaec
