// Messages of the readers: a line on stderr, and the same text only once in a process.
#pragma once
#include <string>

namespace data {

/// Prints `note: TEXT`.
void note_once(const std::string& text);
/// Prints `warning: TEXT`.
void warn_once(const std::string& text);

}  // namespace data
