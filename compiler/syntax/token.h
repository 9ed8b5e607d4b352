// Tokens between text and parser. In: the text of one file (valid UTF-8). Out of lex: every token with
// comments and newlines. Out of arrange: what the grammar reads, statements ended by END, brackets balanced.
// Inside this module only: token types are those of the generated lexer.
#pragma once
#include <VaeLexer.h>

#include <vector>

#include "compiler/base/report.h"

namespace syntax {

constexpr size_t end_of_file = antlr4::Token::EOF;

struct Token {
  size_t type = 0;  // of VaeLexer, or end_of_file
  base::Span span;
  int depth = 0;          // brackets open around it; an opening bracket and its closing one have the same
  bool repaired = false;  // an error was reported here; others in the same statement would only follow
  bool supplied = false;  // a `{` that is missing in the file, before what its span holds
};

bool is_comment(size_t type);
bool is_opening(size_t type);
bool is_closing(size_t type);
/// The closing bracket of an opening one.
size_t closing_of(size_t opening);
/// A name, or a word that is one outside its places (`over from weight complete as fixed publish`).
bool is_name(size_t type);
/// After these a newline does not end a statement, and a `{` opens a map.
bool is_operator(size_t type);
/// The words that begin a declaration and nothing else.
bool begins_declaration(size_t type);
/// Reserved words that cannot stand inside an expression.
bool begins_statement(size_t type);

/// Nesting beyond this is refused: every later stage may recurse over brackets without a check.
constexpr size_t deepest_nesting = 200;

/// Reports bad characters, numbers, strings and comments, unless `report` is null. Ends in EOF.
std::vector<Token> lex(base::FileId file, const base::SourceSet& sources, base::Report* report);

/// Reports brackets that do not match and nesting that is too deep.
std::vector<Token> arrange(const std::vector<Token>& tokens, base::Report& report);

}  // namespace syntax
