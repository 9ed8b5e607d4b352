// The text of a file that the user names. In: a path. Out: the bytes of a regular file or a pipe of at most
// 16 MiB, or why it cannot be read, in words that follow "cannot read PATH: ".
#pragma once
#include <optional>
#include <string>

namespace base {

std::optional<std::string> read_text_file(const std::string& path, std::string& cause);

/// Until further notice `text` stands for the file at `path`, as an editor shows it before it is saved; none
/// gives the file itself back.
void set_unsaved_text(const std::string& path, std::optional<std::string> text);

}  // namespace base
