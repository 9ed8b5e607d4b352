// Files of the standard library that an editor can show. The library is inside vaec, so each file is written
// once into the cache. In: a file of a program. Out: its path on disk.
#pragma once
#include <optional>
#include <string>

#include "compiler/base/source.h"

namespace lsp {

/// The path of a user's file, or of the copy of a library file. None if there is no cache to write to.
std::optional<std::string> shown_path(const base::SourceFile& file);
/// Whether the path is one of these copies, which belong to no program.
bool is_library_copy(const std::string& path);

}  // namespace lsp
