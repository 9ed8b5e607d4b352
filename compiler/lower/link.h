// An archive of objects to an executable that needs only libvaert.so, or to one object. The linker is called
// directly where the C library's start files lie in a known place, else through `cc`, which costs some 20 ms
// more. All throw std::runtime_error with what the linker said, CannotWrite where there is no space.
#pragma once
#include <filesystem>
#include <stdexcept>
#include <string>

namespace lower {

struct CannotWrite : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What an executable is linked with, and where its loader looks for that.
struct Runtime {
  std::string library;
  std::string search;
};

/// The runtime at its own place. Throws std::runtime_error where executables cannot name its folder.
Runtime runtime_in_place(const std::filesystem::path& library);

void link_executable(const std::string& archive_path, const Runtime& runtime,
                     const std::string& executable_path);

/// A shared library, of which only what begins with `NAME_` is visible.
void link_library(const std::string& archive_path, const Runtime& runtime, const std::string& name,
                  const std::string& library_path, const std::string& soname);

/// Whether executables can say that their runtime lies there: in DT_RUNPATH `:` begins another folder, and
/// `$` what the loader puts in, such as $ORIGIN; both can lead to a library of the current folder.
bool can_be_run_path(const std::filesystem::path& folder);

/// Makes an executable of nothing, as link_executable would: empty, or why that fails.
std::string why_no_linker();
/// What link_executable calls.
std::string linker();

/// The same bytes for the same archive. Both lie in a folder of the system's temporary one meanwhile.
std::string join_objects(const std::string& archive);

}  // namespace lower
