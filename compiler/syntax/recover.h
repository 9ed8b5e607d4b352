// What the parser does at a wrong token. In: the arranged tokens and the parser's state. Out: at most one
// diagnostic for each statement, in the user's terms. Parsing then goes on with the next statement, or with
// the block of a declaration whose head is wrong.
#pragma once
#include <VaeParser.h>

#include "compiler/syntax/token.h"

namespace syntax {

/// A diagnostic that is reported only if nothing else is wrong with its statement.
struct SyntaxError {
  base::Diagnostic diagnostic;
  size_t at;  // the index of the token that is wrong
};

class Recovery : public antlr4::ANTLRErrorStrategy {
 public:
  Recovery(const std::vector<Token>& tokens, base::Report& report)
      : tokens_(tokens), report_(report), wrong_(tokens.size()) {}

  void reset(antlr4::Parser*) override { failed_ = false; }
  antlr4::Token* recoverInline(antlr4::Parser* parser) override;
  void recover(antlr4::Parser* parser, std::exception_ptr error) override;
  void sync(antlr4::Parser* parser) override;
  bool inErrorRecoveryMode(antlr4::Parser*) override { return failed_; }
  void reportError(antlr4::Parser* parser, const antlr4::RecognitionException& error) override;
  void reportMatch(antlr4::Parser*) override {}

  /// Reports blocks without `{`, if nothing else is wrong with their heads.
  void report_missing_braces() const;

 private:
  /// Skips the statement that begins at token `start`, then reports the error in it.
  void skip_statement(VaeParser& parser, size_t start);
  /// Whether a statement, which a newline at token `end` seems to end, goes on in the next line. That is so
  /// if the line begins with something that cannot begin a statement and would be reported as a second error.
  bool goes_on(size_t end, bool incomplete) const;

  /// Whether the error at token `at`, in the statement that begins at `start`, only follows from another
  /// error: one where the statement before ended, or one that was repaired there.
  bool follows(size_t start, size_t at) const;
  /// Whether the statement, or the head of its block, ends at token `at` or right after it.
  bool is_last(size_t at) const;
  bool on_one_line(size_t first, size_t last) const;
  /// Notes that the statement [start, end) has an error at token `at`.
  void take_note(size_t start, size_t at, size_t end);

  const std::vector<Token>& tokens_;
  base::Report& report_;
  std::vector<bool> wrong_;  // the tokens of statements with an error
  /// The token of the last error, if it was at the end of its statement.
  size_t last_wrong_ = static_cast<size_t>(-1);
  size_t last_end_ = 0;  // the first token after that statement
  bool failed_ = false;  // true from an error to the end of its statement
  std::optional<SyntaxError> found_;
};

/// Explains the error at `tokens[at]`, where the grammar's `rule` expected one of `expected`.
SyntaxError explain_error(const std::vector<Token>& tokens, size_t at, size_t rule,
                          const antlr4::misc::IntervalSet& expected, const base::SourceSet& sources);

}  // namespace syntax
