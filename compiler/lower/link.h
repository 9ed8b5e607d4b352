// An archive of objects to an executable that needs only libvaert.so. The linker is called directly where the
// C library's start files lie in a known place, else through `cc`, which costs some 20 ms more.
#pragma once
#include <string>

namespace lower {

/// Throws std::runtime_error with what the linker said.
void link_executable(const std::string& archive_path, const std::string& runtime_library,
                     const std::string& executable_path);

}  // namespace lower
