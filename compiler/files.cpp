#include "compiler/files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <system_error>
#include <vector>

#include "compiler/base/text_file.h"
#include "compiler/lower/objects/link.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/own_executable.h"

namespace vaec {
namespace fs = std::filesystem;

std::string read_file(const std::string& path) {
  std::string cause;
  auto text = base::read_text_file(path, cause);
  if (!text) throw Failure(Exit::missing_input, fmt::format("cannot read {}: {}", path, cause));
  return *std::move(text);
}

namespace {

Failure cannot_write(const fs::path& path, const std::string& cause) {
  return Failure(Exit::cannot_write, fmt::format("cannot write {}: {}", path.string(), cause));
}

bool is_device(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

/// A private folder for the content that goes to a device: other users cannot guess or replace names in it.
std::unique_ptr<PrivateFolder> folder_for(const fs::path& output) {
  if (!is_device(output)) return nullptr;
  try {
    return std::make_unique<PrivateFolder>();
  } catch (const std::runtime_error& failure) {
    throw cannot_write(output, failure.what());
  }
}

fs::path place_beside(const fs::path& output, const PrivateFolder* folder, const std::string& ending) {
  std::error_code error;
  const fs::path target = fs::is_symlink(output, error) ? fs::canonical(output, error) : output;
  const fs::path beside = folder ? folder->path() / output.filename() : target.empty() ? output : target;
  return beside.string() + fmt::format(".{}{}", getpid(), ending);
}

/// Writes the file. Returns the cause of a failure, or an empty text.
std::string write_through(const fs::path& path, const std::string& content) {
  errno = 0;
  std::ofstream file(path, std::ios::binary);
  file << content;
  file.close();
  return file ? std::string() : std::strerror(errno);
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

Aside::Aside(const fs::path& output, const std::string& ending)
    : output_(output), folder_(folder_for(output)), path_(place_beside(output, folder_.get(), ending)) {}

Aside::~Aside() {
  std::error_code ignored;
  fs::remove(path_, ignored);
}

void Aside::write(const std::string& content) const {
  if (const std::string cause = write_through(path_, content); !cause.empty())
    throw cannot_write(output_, cause);
}

void Aside::become_output() const {
  if (is_device(output_)) {
    if (const std::string cause = write_through(output_, content_of(path_)); !cause.empty())
      throw cannot_write(output_, cause);
    return;
  }
  std::error_code error;
  fs::rename(path_, fs::is_symlink(output_) ? fs::canonical(output_) : output_, error);
  if (error) throw cannot_write(output_, error.message());
}

void write_file(const fs::path& path, const std::string& content) {
  const Aside aside(path, ".tmp");
  aside.write(content);
  aside.become_output();
}

/// Returns the library, or refuses it if executables cannot name its folder in their RUNPATH.
static fs::path nameable(const fs::path& library) {
  if (lower::can_be_run_path(library.parent_path())) return library;
  throw Failure(
      Exit::bad_configuration,
      fmt::format("vaec is installed in {}: `:` and `$` in the name of the folder would make programs "
                  "look for their runtime elsewhere; install it in another folder",
                  library.parent_path().parent_path().string()));
}

std::string runtime_library() {
  std::vector<fs::path> installations;
  if (const fs::path own = own_executable(); !own.empty())
    installations.push_back(own.parent_path().parent_path());
  const char* home = std::getenv("VAEC_HOME");
  // An absolute path, because executables contain the folder.
  if (home != nullptr && *home != '\0') installations.push_back(fs::absolute(home));
  std::string tried;
  for (const fs::path& installation : installations) {
    const fs::path library = installation / "lib" / "libvaert.so";
    std::error_code unreadable;
    if (fs::exists(library, unreadable)) return nameable(library).string();
    tried += (tried.empty() ? "looked for " : ", ") + library.string();
  }
  if (tried.empty()) tried = "vaec does not know where it is installed, since /proc is not mounted";
  throw Failure(Exit::bad_configuration,
                fmt::format("the runtime is missing: {}; set VAEC_HOME to the folder that has it in lib{}",
                            tried, home == nullptr ? "" : fmt::format(" (now {})", home)));
}

}  // namespace vaec
