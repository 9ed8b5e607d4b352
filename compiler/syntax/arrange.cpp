#include <antlr4-runtime.h>

#include <algorithm>

#include "compiler/syntax/token.h"

namespace syntax {

namespace {

constexpr size_t end_of_file = antlr4::Token::EOF;

/// What is wrong with the brackets, by index into the tokens: found and reported before the parser runs, so
/// that one missing bracket is one error and does not swallow the rest of the file.
struct Repairs {
  std::vector<bool> drop;       // a bracket that closes nothing, or what is nested too deeply
  std::vector<bool> unclosed;   // an opening bracket without its closing one
  std::vector<size_t> replace;  // 0, or the type that a wrong closing bracket should have
  std::vector<int> keep;        // -1, or the number of open brackets that go on beyond this token
};

/// Reserved words that cannot stand inside an expression.
bool begins_statement(size_t type) {
  return begins_declaration(type) || type == VaeLexer::NET || type == VaeLexer::LET ||
         type == VaeLexer::RETURN || type == VaeLexer::FOR || type == VaeLexer::IF;
}

class BracketMatcher {
 public:
  BracketMatcher(const std::vector<Token>& tokens, base::Report& report)
      : tokens_(tokens), report_(report), sources_(report.sources()) {}

  Repairs run() {
    repairs_.drop.assign(tokens_.size(), false);
    repairs_.unclosed.assign(tokens_.size(), false);
    repairs_.replace.assign(tokens_.size(), 0);
    repairs_.keep.assign(tokens_.size(), -1);
    comment_open_ = tokens_.size() > 1 && tokens_[tokens_.size() - 2].type == VaeLexer::OPEN_COMMENT;
    for (size_t i = 0; i < tokens_.size(); ++i) {
      const size_t type = tokens_[i].type;
      if (is_opening(type)) {
        open_.push_back(i);
        if (open_.size() > deepest_nesting) i = refuse_nesting(i);
      } else if (is_closing(type)) {
        close(i);
      } else if (type == end_of_file) {
        abandon(0, std::nullopt);
      } else if (at_line_start(i)) {
        begin_line(i);
      }
    }
    return std::move(repairs_);
  }

 private:
  bool at_line_start(size_t i) const { return i == 0 || tokens_[i - 1].type == VaeLexer::NEWLINE; }

  int indentation(size_t i) const {
    const base::Place place = sources_.place(tokens_[i].span.file, tokens_[i].span.begin);
    const std::string_view line = sources_.line(tokens_[i].span.file, place.line);
    return static_cast<int>(std::min(line.find_first_not_of(" \t"), line.size()));
  }

  /// Words that no bracket can contain show that one before them was forgotten.
  void begin_line(size_t i) {
    if (open_.empty()) return;
    const size_t type = tokens_[i].type;
    if (!begins_statement(type)) return;
    size_t keep = open_.size();
    while (keep > 0 && tokens_[open_[keep - 1]].type != VaeLexer::LBRACE) --keep;
    if (begins_declaration(type))
      while (keep > 0 && indentation(i) <= indentation(open_[keep - 1])) --keep;
    if (keep == open_.size()) return;
    repairs_.keep[i] = static_cast<int>(keep);
    abandon(keep, i);
  }

  void close(size_t i) {
    const size_t type = tokens_[i].type;
    size_t partner = open_.size();
    while (partner > 0 && closing_of(tokens_[open_[partner - 1]].type) != type) {
      // `)` and `]` do not reach out of the block they stand in.
      if (tokens_[open_[partner - 1]].type == VaeLexer::LBRACE) partner = 1;
      --partner;
    }
    if (partner > 0) {
      abandon(partner, std::nullopt);
      open_.pop_back();
      return;
    }
    const std::string_view found = sources_.text(tokens_[i].span);
    if (type != VaeLexer::RBRACE && !open_.empty() && tokens_[open_.back()].type != VaeLexer::LBRACE) {
      const Token& opening = tokens_[open_.back()];
      report_
          .add(base::E0104, tokens_[i].span,
               fmt::format("`{}` cannot close `{}`", found, sources_.text(opening.span)))
          .note(opening.span, "opened here");
      repairs_.replace[i] = closing_of(opening.type);
      open_.pop_back();
      return;
    }
    report_.add(base::E0104, tokens_[i].span, fmt::format("`{}` closes nothing", found));
    repairs_.drop[i] = true;
  }

  /// The brackets from the `keep`th on are never closed. Several on one line are one mistake.
  void abandon(size_t keep, std::optional<size_t> because_of) {
    int last_line = 0;
    for (; open_.size() > keep; open_.pop_back()) {
      const Token& opening = tokens_[open_.back()];
      repairs_.unclosed[open_.back()] = true;
      const int line = sources_.place(opening.span.file, opening.span.begin).line;
      if (gave_up_ || line == last_line || swallowed(open_.back())) continue;
      last_line = line;
      auto& error = report_.add(base::E0103, opening.span, sources_.text(opening.span));
      if (because_of)
        error.note(tokens_[*because_of].span,
                   fmt::format("`{}` begins something new here", sources_.text(tokens_[*because_of].span)));
    }
  }

  /// A string or comment without end has swallowed the rest of the line, or of the file.
  bool swallowed(size_t opening) const {
    for (size_t i = opening; tokens_[i].type != end_of_file; ++i) {
      if (tokens_[i].type == VaeLexer::NEWLINE && !comment_open_) return false;
      if (tokens_[i].repaired && (tokens_[i].type == VaeLexer::STRING || comment_open_)) return true;
    }
    return false;
  }

  /// Drops what the bracket at `i` contains and returns the index of its closing one.
  size_t refuse_nesting(size_t i) {
    report_.add(base::E0111, tokens_[i].span, fmt::format("brackets nest more than {} deep", deepest_nesting))
        .help("name a part of it with `let`");
    size_t depth = 0;
    for (; tokens_[i].type != end_of_file; ++i) {
      repairs_.drop[i] = true;
      if (is_opening(tokens_[i].type)) ++depth;
      if (is_closing(tokens_[i].type) && --depth == 0) break;
    }
    open_.pop_back();
    if (tokens_[i].type != end_of_file) return i;
    gave_up_ = true;  // whatever is open now may well be closed in what was dropped
    return i - 1;
  }

  const std::vector<Token>& tokens_;
  base::Report& report_;
  const base::SourceSet& sources_;
  Repairs repairs_;
  std::vector<size_t> open_;
  bool gave_up_ = false;
  bool comment_open_ = false;
};

/// Writes the tokens that the grammar reads.
class Arranger {
 public:
  Arranger(const std::vector<Token>& in, const Repairs& repairs) : in_(in), repairs_(repairs) {
    out_.reserve(in.size() + 16);
  }

  std::vector<Token> run() {
    for (size_t i = 0; i < in_.size(); ++i) {
      if (repairs_.drop[i] || in_[i].type == VaeLexer::BAD_CHARACTER ||
          in_[i].type == VaeLexer::OPEN_COMMENT) {
        repaired_ = true;
        continue;
      }
      if (repairs_.keep[i] >= 0)
        while (open_.size() > static_cast<size_t>(repairs_.keep[i])) supply_closing(in_[i].span);
      read(i);
    }
    return std::move(out_);
  }

 private:
  struct Open {
    size_t type;
    bool map;
    bool unclosed;
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
      // Where a value is expected, a brace opens a map.
      const bool map = token.type == VaeLexer::LBRACE && is_operator(last());
      emit(token);
      open_.push_back({token.type, map, repairs_.unclosed[i]});
    } else if (is_closing(token.type)) {
      while (open_.back().unclosed) supply_closing(token.span);
      Token closing = token;
      if (repairs_.replace[i] != 0) {
        closing.type = repairs_.replace[i];
        closing.repaired = true;
      }
      if (closing.type == VaeLexer::RBRACE && !open_.back().map) end_statement(token.span);
      open_.pop_back();
      emit(closing);
    } else {
      emit(token, is_name(token.type) ? word_type(i) : token.type);
    }
  }

  void read_newline(size_t i) {
    while (!open_.empty() && open_.back().unclosed && open_.back().type != VaeLexer::LBRACE && can_end())
      supply_closing(in_[i].span);
    if (!open_.empty() && open_.back().type != VaeLexer::LBRACE) return;
    if (at_statement_start()) repaired_ = false;
    const size_t following = next(i);
    // After an operator the statement goes on, unless what follows shows that its value was forgotten.
    const bool forgotten =
        is_operator(last()) && (begins_statement(following) || following == VaeLexer::RBRACE);
    if ((!can_end() && !forgotten) || after_comma_) return;
    if (following == VaeLexer::LBRACE || following == VaeLexer::ELSE) return;
    if (inside_value() && following == VaeLexer::RBRACE) return;
    emit({VaeLexer::END, in_[i].span});
  }

  /// Whether the comma ends a list: before a closing bracket, or before what follows parents (`x | z, ~`),
  /// declared variables (`var x, z, :`) or the parameters of another way in (`from a : unit, {`).
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

  /// Inside brackets that hold values rather than statements.
  bool inside_value() const {
    return !open_.empty() && (open_.back().type != VaeLexer::LBRACE || open_.back().map);
  }

  /// Whether what stands so far can be the end of a statement.
  bool can_end() const {
    return !out_.empty() && last() != VaeLexer::END && last() != VaeLexer::LBRACE && !is_operator(last());
  }

  /// The end that a `}` or the end of the file implies; after an operator too: there the value is missing.
  void end_statement(base::Span at) {
    if (!out_.empty() && last() != VaeLexer::END && last() != VaeLexer::LBRACE) emit({VaeLexer::END, at});
  }

  size_t last() const { return out_.empty() ? size_t{VaeLexer::END} : out_.back().type; }

  size_t next(size_t i) const {
    do ++i;
    while (in_[i].type == VaeLexer::NEWLINE);
    return in_[i].type;
  }

  bool at_statement_start() const {
    return !inside_value() &&
           (last() == VaeLexer::END || last() == VaeLexer::LBRACE || last() == VaeLexer::RBRACE);
  }

  /// `over from weight complete as fixed` are words in their places, elsewhere names.
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
    return in_place ? type : static_cast<size_t>(VaeLexer::NAME);
  }

  void supply_closing(base::Span before) {
    const Open open = open_.back();
    if (open.type == VaeLexer::LBRACE && !open.map) end_statement(before);
    open_.pop_back();
    repaired_ = true;
    emit({closing_of(open.type), {before.file, before.begin, before.begin}});
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
  const Repairs& repairs_;
  std::vector<Token> out_;
  std::vector<Open> open_;
  bool repaired_ = false;     // something was left out or put in before the next token
  bool after_comma_ = false;  // that ends a list: it is gone, and the statement goes on
};

/// Without comments; one over several lines counts as a newline.
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
  const Repairs repairs = BracketMatcher(rest, report).run();
  return Arranger(rest, repairs).run();
}

}  // namespace syntax
