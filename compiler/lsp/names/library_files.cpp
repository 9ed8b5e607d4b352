#include "compiler/lsp/names/library_files.h"

#include <fmt/format.h>

#include <filesystem>

#include "compiler/base/text_file.h"
#include "compiler/files.h"
#include "compiler/semantics/stdlib_text.h"
#include "runtime/shared/cache_folder.h"
#include "runtime/shared/content_hash.h"
#include "runtime/shared/failure.h"

namespace lsp {
namespace {
namespace fs = std::filesystem;

/// A folder for exactly this text, so that two versions of vaec do not write the same file.
fs::path copy_of(const std::string& name, std::string_view text) {
  const fs::path cache = cache_folder();
  if (cache.empty()) return {};
  return cache / "stdlib" / fmt::format("{:016x}", content_hash(text)) / name;
}

}  // namespace

std::optional<std::string> shown_path(const base::SourceFile& file) {
  if (!file.library) return file.name;
  const fs::path path = copy_of(file.name, file.text);
  if (path.empty()) return {};
  std::string cause;
  if (base::read_text_file(path.string(), cause) == file.text) return path.string();
  try {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    vaec::write_file(path, file.text);
  } catch (const Failure&) {
    return {};
  }
  return path.string();
}

bool is_library_copy(const std::string& path) {
  for (const std::string& name : semantics::stdlib_names())
    if (const auto text = semantics::stdlib_text(name); text && copy_of(name + ".vae", *text) == path)
      return true;
  return false;
}

}  // namespace lsp
