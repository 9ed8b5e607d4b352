#include <array>

#include "compiler/syntax/recover.h"
#include "compiler/syntax/words.h"
#include "runtime/shared/nearest_name.h"

namespace syntax {

namespace {

using antlr4::misc::IntervalSet;

std::string quoted(std::string_view text) { return fmt::format("`{}`", text); }

/// How a token is written, if tokens of its type are always written in the same way.
std::string spelling(size_t type) {
  static const std::array<std::pair<size_t, const char*>, 21> table{{
      {VaeParser::OVER, "over"},     {VaeParser::IN, "in"},       {VaeParser::AS, "as"},
      {VaeParser::WEIGHT, "weight"}, {VaeParser::ELSE, "else"},   {VaeParser::LPAREN, "("},
      {VaeParser::RPAREN, ")"},      {VaeParser::LBRACKET, "["},  {VaeParser::RBRACKET, "]"},
      {VaeParser::LBRACE, "{"},      {VaeParser::RBRACE, "}"},    {VaeParser::COMMA, ","},
      {VaeParser::COLON, ":"},       {VaeParser::DOT, "."},       {VaeParser::ASSIGN, "="},
      {VaeParser::TILDE, "~"},       {VaeParser::BAR, "|"},       {VaeParser::PLUS, "+"},
      {VaeParser::MINUS, "-"},       {VaeParser::FIXED, "fixed"}, {VaeParser::IF, "if"},
  }};
  for (const auto& [known, text] : table)
    if (known == type) return quoted(text);
  return "";
}

std::string join_words(const std::vector<std::string>& words) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i)
    text += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return text;
}

/// Whether the rule contains a list: then a comma is also possible where its closing bracket is expected.
bool holds_list(size_t rule) {
  switch (rule) {
    case VaeParser::RuleArguments:
    case VaeParser::RuleSubscripts:
    case VaeParser::RuleMap:
    case VaeParser::RulePrimary:
    case VaeParser::RuleNames:
    case VaeParser::RuleFamilyDeclaration:
    case VaeParser::RuleNetDeclaration:
    case VaeParser::RulePublishDeclaration:
      return true;
    default:
      return false;
  }
}

std::string expectation(size_t rule, const IntervalSet& expected) {
  const auto has = [&](size_t type) { return expected.contains(type); };
  if (rule == VaeParser::RuleFile || rule == VaeParser::RuleDeclaration) {
    if (has(VaeParser::DECODER)) return "a declaration";
  }
  if (has(VaeParser::RETURN)) return "a statement";
  std::vector<std::string> words;
  const bool value = has(VaeParser::INTEGER);
  if (value) words.push_back("a value");
  if (!value && has(VaeParser::NAME)) words.push_back("a name");
  if (!value && has(VaeParser::STRING)) words.push_back("a string");
  if (has(VaeParser::LBRACE) && !value) words.push_back("`{`");
  for (const size_t type : {VaeParser::OVER, VaeParser::IN, VaeParser::AS, VaeParser::WEIGHT,
                            VaeParser::COLON, VaeParser::ASSIGN, VaeParser::TILDE, VaeParser::BAR})
    if (has(type)) words.push_back(spelling(type));
  if (!value && has(VaeParser::LPAREN)) words.push_back("`(`");
  for (const size_t type : {VaeParser::RPAREN, VaeParser::RBRACKET, VaeParser::RBRACE})
    if (has(type)) {
      if (!value && !has(VaeParser::NAME) && holds_list(rule)) words.push_back("`,`");
      words.push_back(spelling(type));
    }
  if (has(VaeParser::END)) words.push_back("the end of the statement");
  return words.empty() ? "something else" : join_words(words);
}

std::string finding(const Token& token, std::string_view text) {
  if (token.type == antlr4::Token::EOF) return "the end of the file";
  if (token.type == VaeParser::END || token.supplied) {
    if (text.empty()) return "the end of the file";
    if (text != ";" && text != "}") return "the end of the line";
  }
  if (token.type == VaeParser::STRING) return "a string";
  return quoted(text);
}

constexpr const char* line_help =
    "a statement goes on in the next line after an operator, `,`, `=`, `~` or `|`, or inside `(` or `[`";

/// Is what stands before the token already an operand of a comparison?
bool is_compared(const std::vector<Token>& tokens, size_t at) {
  int closed = 0;  // brackets that are open towards the left
  while (at-- > 0) {
    switch (tokens[at].type) {
      case VaeParser::RPAREN:
      case VaeParser::RBRACKET:
        ++closed;
        break;
      case VaeParser::LPAREN:
      case VaeParser::LBRACKET:
        if (closed-- == 0) return false;
        break;
      case VaeParser::COMPARE:
        if (closed == 0) return true;
        break;
      case VaeParser::AND:
      case VaeParser::OR:
      case VaeParser::COMMA:
      case VaeParser::ASSIGN:
      case VaeParser::END:
      case VaeParser::COLON:
        if (closed == 0) return false;
        break;
      case VaeParser::LBRACE:
      case VaeParser::RBRACE:
        return false;
      default:
        break;
    }
  }
  return false;
}

base::Diagnostic explain(const std::vector<Token>& tokens, size_t at, size_t rule,
                         const IntervalSet& expected, const base::SourceSet& sources) {
  const Token& token = tokens[at];
  const auto may_be = [&](size_t type) { return expected.contains(type); };
  const std::string_view text = sources.text(token.span);
  const size_t after = at + 1 < tokens.size() ? tokens[at + 1].type : 0;
  base::Diagnostic error =
      base::diagnostic(base::E0101, token.span, expectation(rule, expected), finding(token, text));

  const bool line_end = (token.type == VaeParser::END || token.supplied) && text != ";" && text != "}";
  if ((line_end || token.type == antlr4::Token::EOF) && at > 0) {
    // The error is shown right behind the last token, not on the next line.
    const base::Span before = tokens[at - 1].span;
    error.span = {before.file, before.end, before.end};
    if (line_end && is_operator(after)) error.text_help = line_help;
  }
  if (token.type == VaeParser::COMPARE && is_compared(tokens, at)) {
    error = base::diagnostic(base::E0114, error.span);
    error.text_help = "join them: `a < b and b < c`";
    return error;
  }
  const bool reserved = token.type >= VaeParser::IMPORT && token.type <= VaeParser::FALSE;
  const bool first_parameter =
      rule == VaeParser::RuleNetDeclaration && at > 0 && tokens[at - 1].type == VaeParser::LPAREN;
  if (token.type == VaeParser::ASSIGN && at > 0 && tokens[at - 1].type == VaeParser::RETURN) {
    return base::diagnostic(base::E0112, tokens[at - 1].span, "return").label("expected a name");
  }
  if (reserved && (may_be(VaeParser::NAME) || first_parameter) && !may_be(VaeParser::RETURN)) {
    return base::diagnostic(base::E0112, error.span, text)
        .label(fmt::format("expected {}", first_parameter ? "a name" : expectation(rule, expected)));
  }
  if (rule == VaeParser::RuleFile) {
    if (is_name(token.type)) {
      if (after == VaeParser::ASSIGN)
        error.text_help = fmt::format("write `param {0} = ...` or `let {0} = ...`", text);
      else if (const auto& words = declaration_words();
               const auto near = nearest_name(text, {words.begin(), words.end()}))
        error.text_help = fmt::format("did you mean `{}`?", *near);
    }
    if (error.text_help.empty() && is_operator(token.type)) error.text_help = line_help;
    if (error.text_help.empty())
      error.text_help =
          "a declaration begins with import, param, family, net, var, let, source, decoder, encoder, "
          "player, learn or publish";
    return error;
  }
  if (token.type == VaeParser::ASSIGN &&
      (may_be(VaeParser::LBRACE) || (rule == VaeParser::RulePrimary && may_be(VaeParser::RPAREN))))
    error.text_help = "values are compared with `==`";
  if (token.type == VaeParser::TILDE && rule == VaeParser::RuleLetStatement)
    error.text_help = "`let` names a value; a conditional stands without it: `z | x ~ Family(...)`";
  if (rule == VaeParser::RuleReferenceStatement && token.type != VaeParser::END &&
      token.type == VaeParser::LPAREN)
    error.text_help = "a call alone has no effect: bind its value, `h = f(x)`";
  if (rule == VaeParser::RuleReferenceStatement && token.type == VaeParser::COMMA && may_be(VaeParser::TILDE))
    error.text_help = "one variable stands on the left; give each its own line";
  if (rule == VaeParser::RuleVarDeclaration && may_be(VaeParser::COLON))
    error.text_help = "a variable is declared as `var x : binary[28, 28]`";
  if (token.type == VaeParser::LBRACE && may_be(VaeParser::INTEGER) && !is_operator(token.type))
    error.text_help = "a map `{a: 1}` stands only as the value of a key";
  if (may_be(VaeParser::END) && token.type != VaeParser::END && error.text_help.empty() &&
      (!is_operator(token.type) || token.type == VaeParser::COMMA) && !is_closing(token.type))
    error.text_help = "statements end at a newline or `;`";
  if (rule == VaeParser::RuleBlock && is_operator(token.type) && error.text_help.empty())
    error.text_help = line_help;
  return error;
}

}  // namespace

SyntaxError explain_error(const std::vector<Token>& tokens, size_t at, size_t rule,
                          const IntervalSet& expected, const base::SourceSet& sources) {
  return {explain(tokens, at, rule, expected, sources), at};
}

}  // namespace syntax
