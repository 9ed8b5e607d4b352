// Between lexer and arrange: mends the brackets of declarations in which they do not match. Statements are
// told apart by newlines, `;`, the words that begin them and indentation, so that a bracket that is missing
// in one says nothing of the next. A statement has at most one error, and the braces of a declaration too.
#pragma once
#include <memory>

#include "compiler/syntax/match_brackets.h"

namespace syntax {

class BracketMender {
 public:
  BracketMender(const std::vector<Token>& tokens, const Lines& lines, Repairs& repairs, base::Report& report);
  ~BracketMender();

  /// The declaration of the tokens [begin, end); `silent` where errors would only follow from one that was
  /// reported.
  void mend(size_t begin, size_t end, bool silent);
  /// A declaration whose brackets match comes next.
  void pass_balanced();

 private:
  class Mender;
  std::unique_ptr<Mender> mender_;
};

}  // namespace syntax
