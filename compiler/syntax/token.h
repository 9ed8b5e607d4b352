// The tokens between text and parser. In: the text of one file (valid UTF-8). `lex` gives every token, with
// comments and newlines. `arrange` gives what the grammar reads: statements end with END, and brackets are
// balanced. Only for this module: token types are those of the generated lexer.
#pragma once
#include <VaeLexer.h>

#include <vector>

#include "compiler/base/report.h"

namespace syntax {

constexpr size_t end_of_file = antlr4::Token::EOF;

struct Token {
  size_t type = 0;  // a type of VaeLexer, or end_of_file
  base::Span span;
  /// How many brackets are open around it; the same for an opening bracket and its closing one.
  int depth = 0;
  /// An error was reported here; other errors of the statement would only follow from it.
  bool repaired = false;
  bool supplied = false;  // a `{` that is missing in the file; its span is that of the next token
};

bool is_comment(size_t type);
bool is_opening(size_t type);
bool is_closing(size_t type);
/// The closing bracket for an opening one.
size_t closing_of(size_t opening);
/// A name, or a word that is a name in most places (`over from weight complete as fixed publish`).
bool is_name(size_t type);
/// After these, a newline does not end a statement, and a `{` opens a map.
bool is_operator(size_t type);
/// The words that can begin only a declaration.
bool begins_declaration(size_t type);
/// Reserved words that cannot stand inside an expression.
bool begins_statement(size_t type);

/// Deeper nesting is refused, so that every later stage can recurse over brackets without a check.
constexpr size_t deepest_nesting = 200;

/// Reports bad characters, numbers, strings and comments, unless `report` is null. The last token is EOF.
std::vector<Token> lex(base::FileId file, const base::SourceSet& sources, base::Report* report);

/// Reports brackets that do not match, and nesting that is too deep.
std::vector<Token> arrange(const std::vector<Token>& tokens, base::Report& report);

}  // namespace syntax
