#include "compiler/lsp/protocol/message_stream.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>

namespace lsp {
namespace {

constexpr size_t longest_header = 4096;

Frame garbled(std::string why) { return {Frame::Kind::garbled, std::move(why)}; }

bool equal_letters(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

/// The value of `Content-Length: N`; none if it is not a number or too large.
std::optional<size_t> length_in(std::string_view value) {
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  size_t length = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
  if (error != std::errc{} || end != value.data() + value.size()) return {};
  return length;
}

}  // namespace

bool MessageReader::fill() {
  if (used_ > 0) {
    buffer_.erase(0, used_);
    used_ = 0;
  }
  char piece[1 << 16];
  for (;;) {
    const ssize_t count = ::read(descriptor_, piece, sizeof piece);
    if (count > 0) {
      buffer_.append(piece, static_cast<size_t>(count));
      return true;
    }
    if (count == 0 || errno != EINTR) return false;
  }
}

bool MessageReader::waits(int milliseconds) const {
  if (used_ < buffer_.size()) return true;
  pollfd waiting{descriptor_, POLLIN, 0};
  return ::poll(&waiting, 1, milliseconds) != 0;
}

bool MessageReader::header_line(std::string& line) {
  for (;;) {
    const size_t newline = buffer_.find('\n', used_);
    if (newline != std::string::npos && newline - used_ <= longest_header) {
      line = buffer_.substr(used_, newline - used_);
      if (line.ends_with('\r')) line.pop_back();
      used_ = newline + 1;
      return true;
    }
    if (buffer_.size() - used_ > longest_header || !fill()) return false;
  }
}

Frame MessageReader::body(size_t length) {
  if (length > longest_message) {
    while (length > buffer_.size() - used_) {
      length -= buffer_.size() - used_;
      used_ = buffer_.size();
      if (!fill()) return garbled("the input ends within a message");
    }
    used_ += length;
    return {Frame::Kind::too_long, fmt::format("a message has at most {} MiB", longest_message >> 20)};
  }
  while (buffer_.size() - used_ < length)
    if (!fill()) return garbled("the input ends within a message");
  Frame frame{Frame::Kind::message, buffer_.substr(used_, length)};
  used_ += length;
  return frame;
}

Frame MessageReader::next() {
  std::optional<size_t> length;
  bool begun = false;
  for (std::string line;;) {
    if (!header_line(line)) {
      if (buffer_.size() - used_ > longest_header) return garbled("a header is too long");
      if (begun || used_ < buffer_.size()) return garbled("the input ends within a header");
      return {};
    }
    if (line.empty()) {
      if (length) return body(*length);
      if (begun) return garbled("a message has no Content-Length");
      continue;  // empty lines before the headers are skipped
    }
    begun = true;
    const size_t colon = line.find(':');
    if (colon == std::string::npos) return garbled("a header has no `:`");
    if (!equal_letters(std::string_view(line).substr(0, colon), "Content-Length")) continue;
    length = length_in(std::string_view(line).substr(colon + 1));
    if (!length) return garbled("Content-Length is no length");
  }
}

bool write_message(int descriptor, const std::string& text) {
  const std::string whole = fmt::format("Content-Length: {}\r\n\r\n", text.size()) + text;
  for (size_t written = 0; written < whole.size();) {
    const ssize_t count = ::write(descriptor, whole.data() + written, whole.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    written += static_cast<size_t>(count);
  }
  return true;
}

}  // namespace lsp
