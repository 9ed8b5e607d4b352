#include <antlr4-runtime.h>

#include "compiler/syntax/token.h"

namespace syntax {

bool is_comment(size_t type) {
  return type == VaeLexer::LINE_COMMENT || type == VaeLexer::BLOCK_COMMENT || type == VaeLexer::OPEN_COMMENT;
}
bool is_opening(size_t type) {
  return type == VaeLexer::LPAREN || type == VaeLexer::LBRACKET || type == VaeLexer::LBRACE;
}
bool is_closing(size_t type) {
  return type == VaeLexer::RPAREN || type == VaeLexer::RBRACKET || type == VaeLexer::RBRACE;
}
size_t closing_of(size_t opening) {
  if (opening == VaeLexer::LPAREN) return VaeLexer::RPAREN;
  return opening == VaeLexer::LBRACKET ? VaeLexer::RBRACKET : VaeLexer::RBRACE;
}
bool is_name(size_t type) {
  return type == VaeLexer::NAME || (type >= VaeLexer::OVER && type <= VaeLexer::PUBLISH);
}
bool is_operator(size_t type) {
  return (type >= VaeLexer::COMMA && type <= VaeLexer::COMPARE) || type == VaeLexer::AND ||
         type == VaeLexer::OR || type == VaeLexer::NOT;
}
bool begins_declaration(size_t type) {
  return type >= VaeLexer::IMPORT && type <= VaeLexer::LEARN && type != VaeLexer::NET;
}
bool begins_statement(size_t type) {
  return begins_declaration(type) || type == VaeLexer::NET || type == VaeLexer::LET ||
         type == VaeLexer::RETURN || type == VaeLexer::FOR || type == VaeLexer::IF;
}

namespace {

std::string describe_character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x20 || first == 0x7F) return fmt::format("the control character U+{:04X}", first);
  return fmt::format("`{}`", text);
}

/// What the writer most likely meant by a character from another language.
std::string character_help(std::string_view text) {
  if (text == "&&" || text == "&") return "write `and`";
  if (text == "||") return "write `or`";
  if (text == "!") return "write `not`";
  if (text == "^") return "the power operator is `**`";
  if (text == "'" || text == "\u2018" || text == "\u2019" || text == "\u201C" || text == "\u201D")
    return "strings stand between \"double quotes\"";
  if (text == "#") return "comments begin with `//`";
  if (text == "\u2212" || text == "\u2013") return "the minus sign is `-`";
  if (text == "\u00D7" || text == "\u00B7") return "the product is `*`";
  if (text == "\u2223") return "the bar is `|`";
  if (text == "\u223C") return "the tilde is `~`";
  if (text == "\u00B5") return "this is the micro sign; the Greek letter is `\u03BC`";
  if (text == "\u00A0") return "this is a no-break space; write an ordinary one";
  if (text == "\\") return "a line goes on after an operator or inside `(` or `[`, without a mark";
  if (static_cast<unsigned char>(text[0]) >= 0x80)
    return "names are made of the letters a-z, A-Z, Greek ones, digits and `_`";
  return "";
}

std::string number_help(std::string_view text) {
  if (text.front() == '.') return fmt::format("write `0{}`", text);
  if (text.back() == '.') return fmt::format("write `{}0`", text);
  if (text.find("__") != text.npos || text.back() == '_') return "`_` stands between digits";
  if (text.size() > 1 && text[0] == '0' && (text[1] == 'x' || text[1] == 'b'))
    return "numbers are decimal: `255`, `1e-3`, `20_000`";
  return "numbers look like `20_000`, `0.5`, `1e-3`; names do not begin with a digit";
}

class Checker {
 public:
  Checker(const base::SourceSet& sources, base::Report& report) : sources_(sources), report_(report) {}

  void check(Token& token) {
    const std::string_view text = sources_.text(token.span);
    switch (token.type) {
      case VaeLexer::BAD_NUMBER:
        report_.add(base::E0107, token.span, text).help(number_help(text));
        token.type = VaeLexer::INTEGER;
        token.repaired = true;
        break;
      case VaeLexer::OPEN_STRING:
        report_.add(base::E0105, token.span).help("a string ends on its line, with `\"`");
        token.type = VaeLexer::STRING;
        token.repaired = true;
        break;
      case VaeLexer::OPEN_COMMENT:
        report_.add(base::E0106, base::Span{token.span.file, token.span.begin, token.span.begin + 2})
            .help("end it with `*/`");
        token.repaired = true;
        break;
      case VaeLexer::STRING:
        check_escapes(token);
        break;
      case VaeLexer::BAD_CHARACTER:
        report_character(token);
        break;
      default:
        break;
    }
  }

 private:
  void check_escapes(Token& token) {
    const std::string_view text = sources_.text(token.span);
    for (size_t i = 1; i + 1 < text.size(); ++i) {
      if (text[i] != '\\') continue;
      ++i;
      if (text[i] == 'n' || text[i] == 't' || text[i] == '"' || text[i] == '\\') continue;
      size_t end = i + 1;
      while (end < text.size() && (text[end] & 0xC0) == 0x80) ++end;
      const auto at = static_cast<uint32_t>(token.span.begin + i - 1);
      report_
          .add(base::E0109, base::Span{token.span.file, at, static_cast<uint32_t>(token.span.begin + end)},
               text.substr(i - 1, end - i + 1))
          .help("the escapes are `\\n`, `\\t`, `\\\"` and `\\\\`");
      token.repaired = true;
    }
  }

  /// Reports a character that the language does not have. Neighbouring or repeated characters on one line are
  /// one error: a word in a foreign alphabet, or text between two foreign quotes.
  void report_character(Token& token) {
    token.repaired = true;
    const std::string_view text = sources_.text(token.span);
    const int line = sources_.place(token.span.file, token.span.begin).line;
    const bool follows = last_bad_.end == token.span.begin && line == last_line_;
    const bool again = sources_.text(last_bad_) == text && line == last_line_;
    last_bad_ = token.span;
    last_line_ = line;
    if (follows || again) return;
    report_.add(base::E0110, token.span, describe_character(text)).help(character_help(text));
  }

  const base::SourceSet& sources_;
  base::Report& report_;
  base::Span last_bad_{base::FileId{0}, 0, 0};
  int last_line_ = 0;
};

/// The byte offset of each code point, and the offset of the end.
std::vector<uint32_t> code_point_offsets(std::string_view text) {
  std::vector<uint32_t> offsets;
  offsets.reserve(text.size() + 1);
  for (size_t i = 0; i < text.size(); ++i)
    if ((text[i] & 0xC0) != 0x80) offsets.push_back(static_cast<uint32_t>(i));
  offsets.push_back(static_cast<uint32_t>(text.size()));
  return offsets;
}

}  // namespace

std::vector<Token> lex(base::FileId file, const base::SourceSet& sources, base::Report* report) {
  const std::string& text = sources.file(file).text;
  std::vector<uint32_t> offsets = code_point_offsets(text);
  // ANTLR's stream removes a byte order mark, so its code points are counted after the mark.
  if (text.starts_with("\xEF\xBB\xBF")) offsets.erase(offsets.begin());

  antlr4::ANTLRInputStream input(text);
  VaeLexer lexer(&input);
  lexer.removeErrorListeners();
  std::vector<Token> tokens;
  tokens.reserve(text.size() / 3 + 1);
  while (true) {
    const std::unique_ptr<antlr4::Token> next = lexer.nextToken();
    if (next->getType() == antlr4::Token::EOF) break;
    tokens.push_back(
        {next->getType(), {file, offsets[next->getStartIndex()], offsets[next->getStopIndex() + 1]}});
  }
  const auto end = static_cast<uint32_t>(text.size());
  tokens.push_back({antlr4::Token::EOF, {file, end, end}});

  if (report) {
    Checker checker(sources, *report);
    for (Token& token : tokens) checker.check(token);
  }
  return tokens;
}

}  // namespace syntax
