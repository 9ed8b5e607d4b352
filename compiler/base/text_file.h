// Reads a text file that the user names. In: a path. Out: the bytes of a regular file or a pipe, at most 16
// MiB. Otherwise the reason, as the end of a sentence that starts with "cannot read PATH: ".
#pragma once
#include <optional>
#include <string>

namespace base {

std::optional<std::string> read_text_file(const std::string& path, std::string& cause);

/// From now on, `text` is read instead of the file at `path`: an editor shows this text before it saves it.
/// Without `text`, the file itself is read again.
void set_unsaved_text(const std::string& path, std::optional<std::string> text);

}  // namespace base
