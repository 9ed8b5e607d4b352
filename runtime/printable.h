// Text for a terminal: names of files may hold what a terminal obeys.
#pragma once
#include <cstdio>
#include <string>

/// Control characters, C1 in UTF-8 too, as `\\x1b`; the rest as it is.
inline std::string printable(const std::string& text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    const bool c1 = byte == 0xc2 && next >= 0x80 && next < 0xa0;
    if (byte >= 0x20 && byte != 0x7f && !c1) {
      result += text[i];
      continue;
    }
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned>(c1 ? next : byte));
    result += escaped;
    i += c1 ? 1 : 0;
  }
  return result;
}
