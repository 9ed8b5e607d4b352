#include <antlr4-runtime.h>

#include <algorithm>

#include "compiler/syntax/match_brackets.h"

namespace syntax {

namespace {

/// Writes the tokens that the grammar reads.
class Arranger {
 public:
  Arranger(const std::vector<Token>& in, const Lines& lines, Repairs repairs)
      : in_(in), lines_(lines), repairs_(std::move(repairs)) {
    out_.reserve(in.size() + 16);
  }

  std::vector<Token> run() {
    for (size_t i = 0; i < in_.size(); ++i) {
      for (int n = repairs_.close_before[i]; n > 0 && !open_.empty(); --n) supply_closing(in_[i].span);
      if (repairs_.open_before[i] != Repairs::Opening::none) supply_opening(i);
      if (repairs_.drop[i] || in_[i].type == VaeLexer::BAD_CHARACTER ||
          in_[i].type == VaeLexer::OPEN_COMMENT) {
        repaired_ = true;
        continue;
      }
      read(i);
    }
    return std::move(out_);
  }

 private:
  struct Open {
    size_t type;
    bool map;
  };

  void read(size_t i) {
    const Token& token = in_[i];
    switch (token.type) {
      case VaeLexer::NEWLINE:
        read_newline(i);
        return;
      case VaeLexer::END:
        if (inside_value() || is_operator(last()) || can_end()) emit(token);
        if (at_statement_start()) repaired_ = false;
        return;
      case VaeLexer::COMMA:
        if (trails(i)) {
          after_comma_ = true;
        } else {
          emit(token);
        }
        return;
      case end_of_file:
        while (!open_.empty()) supply_closing(token.span);
        end_statement(token.span);
        emit(token);
        return;
      default:
        break;
    }
    if (is_opening(token.type)) {
      Token opening = with_right_type(i);
      // A brace at a place where a value is expected opens a map.
      const bool map = opening.type == VaeLexer::LBRACE && is_operator(last());
      emit(opening);
      open_.push_back({opening.type, map});
    } else if (is_closing(token.type)) {
      const Token closing = with_right_type(i);
      if (closing.type == VaeLexer::RBRACE && !open_.back().map) end_statement(token.span);
      open_.pop_back();
      emit(closing);
    } else {
      emit(token, is_name(token.type) ? word_type(i) : token.type);
    }
  }

  Token with_right_type(size_t i) const {
    Token token = in_[i];
    if (repairs_.replace[i] != 0) {
      token.type = repairs_.replace[i];
      token.repaired = true;
    }
    return token;
  }

  void read_newline(size_t i) {
    if (!open_.empty() && open_.back().type != VaeLexer::LBRACE) return;
    if (at_statement_start()) repaired_ = false;
    const size_t following = next(i);
    // After an operator, the statement goes on in the next line. But if the next token cannot continue it,
    // its value was forgotten, and it ends here.
    const bool forgotten =
        is_operator(last()) && (begins_statement(following) || following == VaeLexer::RBRACE);
    if ((!can_end() && !forgotten) || after_comma_) return;
    if (following == VaeLexer::LBRACE || following == VaeLexer::ELSE) return;
    if (inside_value() && following == VaeLexer::RBRACE) return;
    repaired_ |= repairs_.late[i + 1];
    emit({VaeLexer::END, in_[i].span});
  }

  /// Whether the comma is a trailing one, at the end of a list. A list ends at a closing bracket. Without
  /// brackets, it ends at the token after parents (`x | z, ~`), declared variables (`var x, z, :`) or the
  /// arguments of `from` (`from a : unit, {`).
  bool trails(size_t i) const {
    const size_t following = next(i);
    if (inside_value()) return is_closing(following) && last() != VaeLexer::COMMA && !is_opening(last());
    if (is_operator(last())) return false;
    return (following == VaeLexer::TILDE && statement_has(VaeLexer::BAR)) ||
           (following == VaeLexer::COLON && statement_has(VaeLexer::VAR)) ||
           (following == VaeLexer::LBRACE && statement_has(VaeLexer::FROM));
  }

  bool statement_has(size_t type) const {
    for (auto token = out_.rbegin(); token != out_.rend(); ++token) {
      if (token->type == type) return true;
      if (token->type == VaeLexer::END || token->type == VaeLexer::LBRACE || token->type == VaeLexer::RBRACE)
        return false;
    }
    return false;
  }

  /// Whether the innermost open bracket contains values, not statements.
  bool inside_value() const {
    return !open_.empty() && (open_.back().type != VaeLexer::LBRACE || open_.back().map);
  }

  /// Whether the tokens so far can be the end of a statement.
  bool can_end() const {
    return !out_.empty() && last() != VaeLexer::END && last() != VaeLexer::LBRACE && !is_operator(last());
  }

  /// Emits the end of a statement that a `}` or the end of the file implies. It does so after an operator
  /// too: the parser then reports the missing value.
  void end_statement(base::Span at) {
    if (!out_.empty() && last() != VaeLexer::END && last() != VaeLexer::LBRACE) emit({VaeLexer::END, at});
  }

  size_t last() const { return out_.empty() ? size_t{VaeLexer::END} : out_.back().type; }

  /// The type of the first token after `i` that is not a newline.
  size_t next(size_t i) const { return in_[lines_.following(i + 1)].type; }

  bool at_statement_start() const {
    return !inside_value() &&
           (last() == VaeLexer::END || last() == VaeLexer::LBRACE || last() == VaeLexer::RBRACE);
  }

  /// `over from weight complete as fixed publish` are reserved words only in certain places; elsewhere they
  /// are names.
  size_t word_type(size_t i) const {
    const size_t type = in_[i].type;
    const size_t following = next(i);
    const size_t before_name =
        last() == VaeLexer::NAME && out_.size() > 1 ? out_[out_.size() - 2].type : size_t{0};
    bool in_place = false;
    if (type == VaeLexer::OVER) in_place = last() == VaeLexer::RPAREN && is_name(following);
    if (type == VaeLexer::FROM) in_place = at_statement_start() && is_name(following);
    if (type == VaeLexer::WEIGHT) in_place = before_name == VaeLexer::SOURCE;
    if (type == VaeLexer::COMPLETE)
      in_place = at_statement_start() && (following == VaeLexer::LBRACE || is_name(following));
    if (type == VaeLexer::AS) in_place = before_name == VaeLexer::LEARN;
    if (type == VaeLexer::FIXED)
      in_place = (last() == VaeLexer::LPAREN || last() == VaeLexer::COMMA) && is_name(following);
    if (type == VaeLexer::PUBLISH)
      in_place =
          at_statement_start() && open_.empty() && (following == VaeLexer::LPAREN || is_name(following));
    return in_place ? type : static_cast<size_t>(VaeLexer::NAME);
  }

  void supply_closing(base::Span before) {
    const Open open = open_.back();
    if (open.type == VaeLexer::LBRACE && !open.map) end_statement(before);
    open_.pop_back();
    repaired_ = true;
    emit({closing_of(open.type), {before.file, before.begin, before.begin}});
  }

  void supply_opening(size_t i) {
    repaired_ |= repairs_.open_before[i] == Repairs::Opening::reported;
    emit({VaeLexer::LBRACE, in_[i].span, 0, false, true});
    open_.push_back({VaeLexer::LBRACE, false});
  }

  void emit(Token token, size_t type) {
    token.type = type;
    emit(token);
  }
  void emit(Token token) {
    token.repaired |= repaired_;
    repaired_ = after_comma_ = false;
    token.depth = static_cast<int>(open_.size());
    out_.push_back(token);
  }

  const std::vector<Token>& in_;
  const Lines& lines_;
  const Repairs repairs_;
  std::vector<Token> out_;
  std::vector<Open> open_;
  bool repaired_ = false;     // a token was dropped or added before the next token
  bool after_comma_ = false;  // a trailing comma was dropped; the statement goes on
};

/// The tokens without comments. A comment over several lines counts as a newline.
std::vector<Token> without_comments(const std::vector<Token>& tokens, const base::SourceSet& sources) {
  std::vector<Token> rest;
  rest.reserve(tokens.size());
  for (const Token& token : tokens) {
    if (token.type == VaeLexer::BLOCK_COMMENT) {
      if (sources.text(token.span).find('\n') != std::string_view::npos)
        rest.push_back({VaeLexer::NEWLINE, token.span});
    } else if (token.type != VaeLexer::LINE_COMMENT) {
      rest.push_back(token);
    }
  }
  return rest;
}

}  // namespace

std::vector<Token> arrange(const std::vector<Token>& tokens, base::Report& report) {
  const std::vector<Token> rest = without_comments(tokens, report.sources());
  const Lines lines(rest, report.sources());
  return Arranger(rest, lines, match_brackets(rest, lines, report)).run();
}

}  // namespace syntax
