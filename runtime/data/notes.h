// What the readers have to say beside the data: a line on stderr, the same words once in a process.
#pragma once
#include <string>

namespace data {

/// `note: TEXT`.
void note_once(const std::string& text);
/// `warning: TEXT`.
void warn_once(const std::string& text);

}  // namespace data
