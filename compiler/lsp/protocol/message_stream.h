// The framing of the Language Server Protocol: `Content-Length: N`, an empty line, N bytes of JSON. In: a
// file descriptor. Out: the bytes of one message after the other; their content is not checked.
#pragma once
#include <cstddef>
#include <string>

namespace lsp {

/// Larger than any program that vaec reads (16 MiB), even in the longest JSON notation.
constexpr size_t longest_message = size_t{128} << 20;

struct Frame {
  enum class Kind {
    message,   // text
    too_long,  // its bytes were skipped; the next message follows
    garbled,   // `text` says why; the beginning of the next message is unknown
    end,       // the input has ended, between two messages
  } kind = Kind::end;
  std::string text;
};

class MessageReader {
 public:
  explicit MessageReader(int descriptor) : descriptor_(descriptor) {}

  /// Waits for the next message.
  Frame next();
  /// Whether input has arrived, or arrives within this time.
  bool waits(int milliseconds) const;

 private:
  bool fill();
  /// Reads up to the next newline, and removes a carriage return. Returns false at the end of the input, or
  /// if the line is longer than any header.
  bool header_line(std::string& line);
  Frame body(size_t length);

  int descriptor_;
  std::string buffer_;
  size_t used_ = 0;  // bytes of buffer_ that were read
};

/// Writes one message. Returns false if that fails.
bool write_message(int descriptor, const std::string& text);

}  // namespace lsp
