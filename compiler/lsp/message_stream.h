// The framing of the Language Server Protocol: `Content-Length: N`, an empty line, N bytes of JSON. In: a
// file descriptor. Out: the bytes of one message after the other, whatever they are.
#pragma once
#include <cstddef>
#include <string>

namespace lsp {

/// Above any program that vaec reads (16 MiB), in JSON's longest way of writing it.
constexpr size_t longest_message = size_t{128} << 20;

struct Frame {
  enum class Kind {
    message,   // text
    too_long,  // its bytes were passed over; the next message follows
    garbled,   // text says why; where the next message begins cannot be known
    end,       // of the input, between messages
  } kind = Kind::end;
  std::string text;
};

class MessageReader {
 public:
  explicit MessageReader(int descriptor) : descriptor_(descriptor) {}

  /// Waits for the next message.
  Frame next();
  /// Whether input arrives within this time, or has arrived.
  bool waits(int milliseconds) const;

 private:
  bool fill();
  /// What ends before the next newline, without its carriage return; false at the end of the input or if it
  /// is longer than any header.
  bool header_line(std::string& line);
  Frame body(size_t length);

  int descriptor_;
  std::string buffer_;
  size_t used_ = 0;  // of buffer_
};

/// Writes one message. False if it cannot be written.
bool write_message(int descriptor, const std::string& text);

}  // namespace lsp
