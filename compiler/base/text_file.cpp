#include "compiler/base/text_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <system_error>
#include <vector>

namespace base {
namespace fs = std::filesystem;

/// No program is larger than this, so a larger file is refused.
constexpr size_t most_text = size_t{16} << 20;

static std::string words_for(int code) { return std::generic_category().message(code ? code : ENOENT); }

/// Keyed by the path without links and `..`.
static std::map<std::string, std::string>& unsaved_texts() {
  static std::map<std::string, std::string> texts;
  return texts;
}

static std::string key_of(const std::string& path) {
  std::error_code error;
  const fs::path whole = fs::weakly_canonical(path, error);
  return error ? path : whole.string();
}

void set_unsaved_text(const std::string& path, std::optional<std::string> text) {
  if (text) {
    unsaved_texts()[key_of(path)] = *std::move(text);
  } else {
    unsaved_texts().erase(key_of(path));
  }
}

std::optional<std::string> read_text_file(const std::string& path, std::string& cause) {
  if (!unsaved_texts().empty())
    if (const auto unsaved = unsaved_texts().find(key_of(path)); unsaved != unsaved_texts().end())
      return unsaved->second;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  const auto refuse = [&](std::string why) -> std::optional<std::string> {
    cause = std::move(why);
    return {};
  };
  if (!fs::exists(status)) return refuse(words_for(error.value()));
  if (fs::is_directory(status)) return refuse("it is a folder");
  // A pipe, as in `vaec check <(...)`, ends when its writer closes it. A device may never end.
  if (!fs::is_regular_file(status) && !fs::is_fifo(status)) return refuse("it is no regular file");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return refuse(words_for(errno));
  std::string text;
  std::vector<char> piece(size_t{1} << 16);
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0) {
    text.append(piece.data(), static_cast<size_t>(file.gcount()));
    if (text.size() > most_text) return refuse(fmt::format("it is larger than {} MiB", most_text >> 20));
  }
  if (file.bad()) return refuse(words_for(errno));
  return text;
}

}  // namespace base
