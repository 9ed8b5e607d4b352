// Files that an editor can show of the standard library, which is inside vaec: written once into the cache.
// In: a file of a program. Out: its path on disk.
#pragma once
#include <optional>
#include <string>

#include "compiler/base/source.h"

namespace lsp {

/// The path of a file of the user, or of the library's copy; none where there is no cache to write to.
std::optional<std::string> shown_path(const base::SourceFile& file);
/// Whether a path is one of these copies: nobody's program.
bool is_library_copy(const std::string& path);

}  // namespace lsp
