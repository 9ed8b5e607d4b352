// Between lexer and arrange: what is wrong with the brackets of a file. In: its tokens without comments. Out:
// the repairs that make them match; each mistake is reported once, at the bracket where a reader would look
// for it.
#pragma once
#include "compiler/syntax/lines.h"

namespace syntax {

/// By index into the tokens. A repair is applied before its token is read.
struct Repairs {
  enum class Opening : uint8_t { none, reported, unreported };  // whether its absence has been reported

  explicit Repairs(size_t tokens)
      : drop(tokens),
        late(tokens),
        replace(tokens),
        close_before(tokens),
        open_before(tokens, Opening::none) {}

  std::vector<bool> drop;            // a bracket without a partner, or what is nested too deeply
  std::vector<bool> late;            // dropped, because it is missing further up: that has been reported
  std::vector<size_t> replace;       // 0, or the type that a wrong bracket should have
  std::vector<int> close_before;     // how many brackets end here without being closed
  std::vector<Opening> open_before;  // a block begins here without `{`
};

Repairs match_brackets(const std::vector<Token>& tokens, const Lines& lines, base::Report& report);

}  // namespace syntax
