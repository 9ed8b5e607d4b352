#include "compiler/syntax/words.h"

#include "compiler/syntax/token.h"

namespace syntax {
namespace {

Word::Kind kind_of(size_t type) {
  if (is_comment(type) || type == VaeLexer::OPEN_COMMENT) return Word::Kind::comment;
  if (is_name(type)) return Word::Kind::name;
  if (type >= VaeLexer::IMPORT && type <= VaeLexer::FALSE) return Word::Kind::reserved;
  switch (type) {
    case VaeLexer::INTEGER:
    case VaeLexer::REAL:
    case VaeLexer::BAD_NUMBER:
      return Word::Kind::number;
    case VaeLexer::STRING:
    case VaeLexer::OPEN_STRING:
      return Word::Kind::string;
    case VaeLexer::NEWLINE:
      return Word::Kind::newline;
    default:
      return Word::Kind::symbol;
  }
}

}  // namespace

std::vector<Word> words(base::FileId file, const base::SourceSet& sources) {
  std::vector<Word> list;
  for (const Token& token : lex(file, sources, nullptr))
    if (token.type != antlr4::Token::EOF) list.push_back({kind_of(token.type), token.span});
  return list;
}

bool is_identifier(std::string_view text) {
  if (base::find_invalid_utf8(text)) return false;
  base::SourceSet sources;
  const std::vector<Word> list = words(sources.add("", std::string(text)), sources);
  return list.size() == 1 && list[0].kind == Word::Kind::name && list[0].span.begin == 0 &&
         list[0].span.end == text.size();
}

const std::vector<std::string_view>& declaration_words() {
  static const std::vector<std::string_view> list = {"import",  "param",  "family", "net",
                                                     "var",     "let",    "source", "decoder",
                                                     "encoder", "player", "learn",  "publish"};
  return list;
}

const std::vector<std::string_view>& statement_words() {
  static const std::vector<std::string_view> list = {"let", "net",  "for",    "in",
                                                     "if",  "else", "return", "complete"};
  return list;
}

}  // namespace syntax
