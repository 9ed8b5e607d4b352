// Links an archive of objects to an executable that needs only libvaert.so, or to one object. The linker is
// called directly if the C library's start files lie in a known place, otherwise through `cc`, which costs
// about 20 ms more. All functions throw std::runtime_error with the linker's message, or CannotWrite if the
// disk is full.
#pragma once
#include <filesystem>
#include <stdexcept>
#include <string>

namespace lower {

struct CannotWrite : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The runtime with which an executable is linked, and where the loader looks for it.
struct Runtime {
  std::string library;
  std::string search;
};

/// The runtime at its own place. Throws std::runtime_error if executables cannot name its folder.
Runtime runtime_in_place(const std::filesystem::path& library);

void link_executable(const std::string& archive_path, const Runtime& runtime,
                     const std::string& executable_path);

/// A shared library that shows only names that begin with `NAME_`.
void link_library(const std::string& archive_path, const Runtime& runtime, const std::string& name,
                  const std::string& library_path, const std::string& soname);

/// Whether executables can name `folder` as the place of their runtime in DT_RUNPATH. There `:` begins
/// another folder, and the loader replaces `$` words such as $ORIGIN. Both can lead to a library of the
/// current folder.
bool can_be_run_path(const std::filesystem::path& folder);

/// Links an empty executable in the same way as link_executable. Returns why that fails, or nothing if it
/// works.
std::string why_no_linker();
/// The program that link_executable calls.
std::string linker();

/// Gives the same bytes for the same archive. While it runs, both lie in a folder of the system's temporary
/// folder.
std::string join_objects(const std::string& archive);

}  // namespace lower
