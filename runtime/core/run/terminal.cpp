#include "runtime/core/run/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "runtime/shared/printable.h"

namespace core {
namespace {

constexpr size_t usual_width = 80, least_width = 10;

/// Whether an environment variable is set to something.
bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value && value[0] != 0;
}

}  // namespace

size_t columns_of(const std::string& text) {
  size_t columns = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const CodePoint point = first_code_point(rest);
    columns += static_cast<size_t>(cells_of(point.value));
    rest.remove_prefix(std::max<size_t>(1, point.bytes));
  }
  return columns;
}

Terminal::Terminal(bool wanted)
    : is_there_(wanted && isatty(STDERR_FILENO) != 0 &&
                (!std::getenv("TERM") || std::string(std::getenv("TERM")) != "dumb")),
      has_colours_(is_there_ && !is_set("NO_COLOR")) {}

size_t Terminal::width() {
  winsize size = {};
  size_t columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
  if (columns == 0 && is_set("COLUMNS")) columns = std::strtoul(std::getenv("COLUMNS"), nullptr, 10);
  return std::max(least_width, columns > 0 ? columns : usual_width) - 1;
}

std::string Terminal::styled(const Piece& piece) const {
  const char* codes[] = {"", "\x1b[1m", "\x1b[2m", "\x1b[36m", "\x1b[33m"};
  if (!has_colours_ || piece.style == Piece::Style::plain) return piece.text;
  return codes[static_cast<size_t>(piece.style)] + piece.text + "\x1b[0m";
}

std::string Terminal::wrapped(const std::vector<Piece>& pieces) const {
  std::string text;
  size_t used = 0;
  for (const Piece& piece : pieces) {
    const size_t columns = columns_of(piece.text);
    if (used > 0 && used + 2 + columns > width()) {
      text += '\n';
      used = 0;
    }
    text += (used > 0 ? "  " : "") + styled(piece);
    used += columns + (used > 0 ? 2 : 0);
  }
  return text;
}

}  // namespace core
