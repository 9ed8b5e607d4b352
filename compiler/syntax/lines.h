// The line of each token, and the indentation of the lines: for code that depends on the layout.
#pragma once
#include "compiler/syntax/token.h"

namespace syntax {

class Lines {
 public:
  Lines(const std::vector<Token>& tokens, const base::SourceSet& sources);

  bool same(size_t a, size_t b) const { return line_[a] == line_[b]; }
  /// Whether the token at `i` is the first of its line.
  bool starts(size_t i) const { return i == 0 || line_[i - 1] != line_[i]; }
  /// The index of the first token from `i` on that is not a newline.
  size_t following(size_t i) const { return following_[i]; }
  /// The indentation of the line with the token at `i`, in bytes.
  size_t indentation(size_t i) const { return indentation_[line_[i]]; }

 private:
  std::vector<size_t> line_;       // by token
  std::vector<size_t> following_;  // by token
  std::vector<size_t> indentation_;
};

}  // namespace syntax
