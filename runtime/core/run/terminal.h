// The terminal behind stderr: whether there is one, how wide it is now, and text that fits its width.
#pragma once
#include <string>
#include <vector>

namespace core {

/// A part of a line that is shown whole or not at all.
struct Piece {
  enum class Style { plain, strong, faint, held_out, warning };
  std::string text;
  Style style = Style::plain;
};

/// How many columns the text takes (cells_of).
size_t columns_of(const std::string& text);

class Terminal {
 public:
  /// `wanted`: whether a terminal should be used at all. A terminal that cannot delete a line (TERM=dumb)
  /// does not count.
  explicit Terminal(bool wanted);
  bool is_there() const { return is_there_; }

  /// The columns that a line may use so that the cursor stays in the line: one less than the terminal has.
  static size_t width();

  /// The piece with colours, unless NO_COLOR is set.
  std::string styled(const Piece& piece) const;
  /// The pieces with two spaces between them, on as many lines as they need.
  std::string wrapped(const std::vector<Piece>& pieces) const;

 private:
  bool is_there_, has_colours_;
};

}  // namespace core
