// The file that `import "PATH"` names: relative to the one that says so.
#pragma once
#include <filesystem>
#include <string>

namespace semantics {

inline std::string imported_path(const std::string& importer, const std::string& path) {
  return (std::filesystem::path(importer).parent_path() / path).lexically_normal().string();
}

}  // namespace semantics
