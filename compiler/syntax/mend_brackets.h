// Between lex and arrange: repairs declarations in which the brackets do not match. Newlines, `;`, first
// words and indentation separate statements, so that a missing bracket in one statement does not affect the
// next. A statement has at most one error, and so have the braces of a declaration.
#pragma once
#include <memory>

#include "compiler/syntax/match_brackets.h"

namespace syntax {

class BracketMender {
 public:
  BracketMender(const std::vector<Token>& tokens, const Lines& lines, Repairs& repairs, base::Report& report);
  ~BracketMender();

  /// Repairs the declaration of the tokens [begin, end). If `silent`, nothing is reported, because errors
  /// would only follow from an earlier one.
  void mend(size_t begin, size_t end, bool silent);
  /// Call it before a declaration whose brackets match, instead of `mend`.
  void pass_balanced();

 private:
  class Mender;
  std::unique_ptr<Mender> mender_;
};

}  // namespace syntax
