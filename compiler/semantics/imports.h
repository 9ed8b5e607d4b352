// The file that `import "PATH"` names. The path is relative to the importing file.
#pragma once
#include <filesystem>
#include <string>

namespace semantics {

inline std::string imported_path(const std::string& importer, const std::string& path) {
  return (std::filesystem::path(importer).parent_path() / path).lexically_normal().string();
}

}  // namespace semantics
