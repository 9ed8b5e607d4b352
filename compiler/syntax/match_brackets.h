// Between lex and arrange: finds what is wrong with the brackets of a file. In: its tokens without comments.
// Out: the repairs that make the brackets match. Each mistake is reported once, at the bracket where a reader
// would look for it.
#pragma once
#include "compiler/syntax/lines.h"

namespace syntax {

/// Repairs by token index. A repair is applied before its token is read.
struct Repairs {
  enum class Opening : uint8_t { none, reported, unreported };  // whether the missing `{` has been reported

  explicit Repairs(size_t tokens)
      : drop(tokens),
        late(tokens),
        replace(tokens),
        close_before(tokens),
        open_before(tokens, Opening::none) {}

  std::vector<bool> drop;  // a bracket without a partner, or a token that is nested too deep
  /// Dropped: it comes too late for a block above, which was reported as unclosed.
  std::vector<bool> late;
  std::vector<size_t> replace;       // 0, or the type that a wrong bracket should have
  std::vector<int> close_before;     // how many unclosed brackets end before this token
  std::vector<Opening> open_before;  // a block begins here without `{`
};

Repairs match_brackets(const std::vector<Token>& tokens, const Lines& lines, base::Report& report);

}  // namespace syntax
