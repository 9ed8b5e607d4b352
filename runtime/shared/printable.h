// Makes foreign text, such as file names, safe to print on a terminal: the terminal executes nothing in it,
// and it stays on its line.
#pragma once
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

struct CodePoint {
  char32_t value = 0;
  size_t bytes = 0;  // length of the code point; 0 if the bytes are not UTF-8
};

/// The first code point of a text that is not empty. Overlong forms, surrogates and code points above
/// U+10FFFF are not UTF-8 (RFC 3629).
inline CodePoint first_code_point(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 1};
  const size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                        : first >= 0xE0 && first <= 0xEF ? 3
                        : first >= 0xF0 && first <= 0xF4 ? 4
                                                         : 0;
  if (length == 0 || length > text.size()) return {};
  const unsigned low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return {};
  char32_t value = first & (0x7Fu >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    value = (value << 6) | (byte(i) & 0x3F);
  }
  return {value, length};
}

inline bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t bytes = first_code_point(text).bytes;
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

/// Whether a terminal obeys the character instead of showing it: control characters, ends of lines, changes
/// of the writing direction, and tags.
inline bool is_obeyed(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || (c >= 0xFFF9 && c <= 0xFFFB) ||
         (c >= 0xE0000 && c <= 0xE007F);
}

/// How many terminal cells a character takes. A combining mark takes none, because it is drawn on the letter
/// before it; East Asian wide characters and emoji take two.
inline int cells_of(char32_t c) {
  if ((c >= 0x300 && c <= 0x36F) || c == 0x200B || c == 0x200D || (c >= 0xFE00 && c <= 0xFE0F)) return 0;
  const bool wide =
      (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) || (c >= 0xAC00 && c <= 0xD7A3) ||
      (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
      (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1FAFF) || (c >= 0x20000 && c <= 0x3FFFD);
  return wide ? 2 : 1;
}

/// The text with obeyed characters, and bytes that are not UTF-8, written as `\x1b` or `\u202e`.
inline std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    const bool valid = point.bytes > 0;
    const char32_t shown = valid ? point.value : static_cast<unsigned char>(text[0]);
    const size_t bytes = valid ? point.bytes : 1;
    if (valid && !is_obeyed(shown)) {
      result += text.substr(0, bytes);
    } else {
      char escaped[12];
      std::snprintf(escaped, sizeof escaped, shown < 0x100 ? "\\x%02x" : "\\u%04x",
                    static_cast<unsigned>(shown));
      result += escaped;
    }
    text.remove_prefix(bytes);
  }
  return result;
}

/// The same for text of several lines: the ends of lines stay.
inline std::string printable_lines(std::string_view text) {
  std::string result;
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    result += printable(text.substr(0, end)) + '\n';
    text.remove_prefix(end + 1);
  }
  return result + printable(text);
}
