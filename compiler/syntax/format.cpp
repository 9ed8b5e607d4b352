#include <algorithm>
#include <set>

#include <antlr4-runtime.h>

#include "compiler/syntax/parse.h"
#include "compiler/syntax/token.h"

namespace syntax {

namespace {

constexpr size_t line_width = 100;

/// A line of output. `marks` are the places that can be aligned with those in neighbouring lines.
struct Line {
  enum Mark { bar, tilde, assign, colon, brace, comment, marks };
  std::string text;
  size_t indent = 0;
  bool statement = false;               // one complete statement: only such lines are aligned
  size_t at[marks] = {};                // byte offset of each mark, 0 if there is none
  std::vector<size_t> one_line_blocks;  // the `{` tokens to expand if the line is too long
};

class Formatter {
 public:
  Formatter(const std::vector<Token>& tokens, const base::SourceSet& sources, const std::set<size_t>& expand)
      : tokens_(tokens), sources_(sources), expand_(expand) {}

  std::vector<Line> run() {
    for (i_ = 0; tokens_[i_].type != antlr4::Token::EOF; ++i_) {
      const size_t type = tokens_[i_].type;
      if (type == VaeLexer::NEWLINE) {
        ++newlines_;
        read_newline();
      } else if (is_comment(type)) {
        comment();
      } else if (type == VaeLexer::END) {
        started_ = false;
        if (!open_.empty() && !open_.back().expanded) separate_ = true;
      } else if (type == VaeLexer::COMMA && trails()) {
        continue;  // a trailing comma is dropped
      } else {
        token();
      }
    }
    finish_line();
    while (!lines_.empty() && lines_.back().text.empty()) lines_.pop_back();
    return std::move(lines_);
  }

 private:
  struct Open {
    size_t type;
    bool block;     // contains statements
    bool expanded;  // a block in which each statement has its own line
    size_t owner;   // the type of the first token of the statement to which the bracket belongs
  };

  bool in_value() const { return !open_.empty() && !open_.back().block; }

  /// Whether the comma is a trailing one, as in arrange.cpp. But the file has no errors, so a simpler check
  /// is enough. A slice may begin with a colon, so outside of brackets only.
  bool trails() const {
    const size_t following = tokens_[i_ + 1].type;
    if (is_closing(following)) return i_ > 0 && !is_opening(tokens_[i_ - 1].type);
    return !in_value() &&
           (following == VaeLexer::TILDE || following == VaeLexer::COLON || following == VaeLexer::LBRACE);
  }

  size_t next() const {
    size_t k = i_ + 1;
    while (tokens_[k].type == VaeLexer::NEWLINE || is_comment(tokens_[k].type)) ++k;
    return tokens_[k].type;
  }

  /// Ends a statement at a newline, as in arrange.cpp. But the file has no errors, so a simpler check is
  /// enough.
  void read_newline() {
    const bool ends = started_ && !in_value() && !is_operator(last_);
    if (ends && next() != VaeLexer::LBRACE && next() != VaeLexer::ELSE) started_ = false;
  }

  size_t block_depth() const {
    return static_cast<size_t>(
        std::count_if(open_.begin(), open_.end(), [](const Open& o) { return o.expanded; }));
  }

  size_t value_depth() const {
    size_t depth = 0;
    while (depth < open_.size() && !open_[open_.size() - 1 - depth].block) ++depth;
    return depth;
  }

  void finish_line() {
    if (line_.text.empty()) return;
    lines_.push_back(std::move(line_));
    line_ = Line{};
  }

  /// Starts a line. One blank line of the source is kept, except after `{` and before `}`.
  void start_line(size_t indent, bool may_have_blank) {
    finish_line();
    if (may_have_blank && newlines_ > 1 && !lines_.empty() && !lines_.back().text.empty() &&
        last_ != VaeLexer::LBRACE)
      lines_.push_back(Line{});
    line_.indent = indent;
    line_.text.assign(2 * indent, ' ');
    broken_ = false;
    separate_ = false;
  }

  void comment() {
    std::string text(sources_.text(tokens_[i_].span));
    while (!text.empty() && (text.back() == ' ' || text.back() == '\r' || text.back() == '\t'))
      text.pop_back();
    for (size_t at = text.find("\r\n"); at != std::string::npos; at = text.find("\r\n", at))
      text.erase(at, 1);
    const bool own_line = line_.text.empty() || newlines_ > 0 || broken_;
    if (own_line) {
      start_line(block_depth() + (started_ ? std::max<size_t>(value_depth(), 1) : 0), !started_);
      line_.text += text;
    } else if (tokens_[i_].type == VaeLexer::LINE_COMMENT) {
      line_.at[Line::comment] = line_.text.size() + 2;
      line_.text += "  " + text;
    } else {
      line_.text += (is_opening(last_) && in_value() ? "" : " ") + text;
    }
    after_comment_ = true;
    broken_ = own_line || tokens_[i_].type == VaeLexer::LINE_COMMENT;
    newlines_ = 0;
    if (text.find('\n') != std::string::npos) {
      broken_ = true;
      read_newline();
    }
  }

  void token() {
    const Token& token = tokens_[i_];
    if (token.type == VaeLexer::RBRACE && open_.back().block) {
      close_block();
      return;
    }
    const bool first = !started_;
    if (first) owner_ = token.type;
    const bool fresh = first && (open_.empty() || open_.back().expanded);
    if (is_closing(token.type)) open_.pop_back();
    if (fresh) {
      start_line(block_depth(), true);
      line_.statement = true;
    } else if (broken_ || (newlines_ > 0 && started_ && breaks_here())) {
      line_.statement = false;
      const size_t inside = value_depth();
      start_line(block_depth() + (is_closing(token.type) ? inside : std::max<size_t>(inside, 1)), false);
    } else if (separate_) {
      line_.text += "; ";
      separate_ = false;
    } else if (space_before(token)) {
      line_.text += ' ';
    }
    mark(token);
    line_.text += sources_.text(token.span);
    started_ = true;
    if (is_opening(token.type)) open(token);
    const bool value = is_name(last_) || (last_ >= VaeLexer::INTEGER && last_ <= VaeLexer::OPEN_STRING) ||
                       last_ == VaeLexer::RPAREN || last_ == VaeLexer::RBRACKET;
    unary_ = token.type == VaeLexer::MINUS && !value;
    before_last_ = last_;
    last_ = token.type;
    newlines_ = 0;
    after_comment_ = false;
  }

  void close_block() {
    const Open block = open_.back();
    open_.pop_back();
    if (block.expanded || broken_)
      start_line(block_depth(), false);
    else
      line_.text += ' ';
    line_.text += '}';
    owner_ = block.owner;
    last_ = VaeLexer::RBRACE;
    newlines_ = 0;
    after_comment_ = false;
    started_ = next() == VaeLexer::ELSE;
    separate_ = !started_ && !open_.empty() && !open_.back().expanded;
  }

  /// Whether a line break inside a statement is kept. `{` and `else` stay on the same line.
  bool breaks_here() const { return in_value() || is_operator(last_) || is_closing(tokens_[i_].type); }

  void open(const Token& token) {
    Open entry{token.type, token.type == VaeLexer::LBRACE && !is_operator(last_), false, owner_};
    if (entry.block) {
      entry.expanded = expand_.contains(i_);
      if (!entry.expanded) line_.one_line_blocks.push_back(i_);
      started_ = false;
    }
    open_.push_back(entry);
  }

  void mark(const Token& token) {
    if (in_value() || !line_.statement || line_.one_line_blocks.size() > 0) return;
    const size_t at = line_.text.size();
    const bool in_family = !open_.empty() && open_.back().owner == VaeLexer::FAMILY;
    if (token.type == VaeLexer::BAR) line_.at[Line::bar] = at;
    if (token.type == VaeLexer::TILDE) line_.at[Line::tilde] = at;
    if (token.type == VaeLexer::ASSIGN && in_family) line_.at[Line::assign] = at;
    if (token.type == VaeLexer::COLON && owner_ == VaeLexer::VAR) line_.at[Line::colon] = at;
    if (token.type == VaeLexer::LBRACE &&
        (before_last_ == VaeLexer::SOURCE || before_last_ == VaeLexer::LEARN) && !expand_.contains(i_))
      line_.at[Line::brace] = at;
  }

  bool space_before(const Token& token) const {
    const size_t type = token.type;
    if (after_comment_) return true;
    if (line_.text.empty() || line_.text.back() == ' ') return false;
    const bool after_value = is_name(last_) || last_ == VaeLexer::RPAREN || last_ == VaeLexer::RBRACKET ||
                             last_ == VaeLexer::STRING;
    const size_t inside = open_.empty() ? 0 : open_.back().type;
    const bool in_map = inside == VaeLexer::LBRACE && !open_.back().block;
    if (last_ == VaeLexer::LPAREN || last_ == VaeLexer::LBRACKET) return false;
    if (last_ == VaeLexer::LBRACE) return type != VaeLexer::RBRACE && !in_map;
    if (last_ == VaeLexer::DOT || type == VaeLexer::DOT || type == VaeLexer::COMMA) return false;
    if (is_closing(type)) return false;
    if (unary_) return false;
    if (type == VaeLexer::LPAREN || type == VaeLexer::LBRACKET) {
      const bool weight =
          last_ == VaeLexer::WEIGHT && owner_ == VaeLexer::SOURCE && before_last_ != VaeLexer::SOURCE;
      const bool publish = last_ == VaeLexer::PUBLISH && owner_ == VaeLexer::PUBLISH && open_.empty();
      return !after_value || (weight && open_.empty()) || publish;
    }
    if (type == VaeLexer::COLON) return inside == VaeLexer::LBRACKET ? last_ == VaeLexer::COMMA : !in_map;
    if (last_ == VaeLexer::COLON) return inside != VaeLexer::LBRACKET;
    return true;
  }

  const std::vector<Token>& tokens_;
  const base::SourceSet& sources_;
  const std::set<size_t>& expand_;
  std::vector<Line> lines_;
  Line line_;
  std::vector<Open> open_;
  size_t i_ = 0;
  size_t last_ = VaeLexer::END;  // the last token that is not a newline or comment, and the token before it
  size_t before_last_ = VaeLexer::END;
  size_t owner_ = 0;       // the type of the first token of the statement
  size_t newlines_ = 0;    // number of newlines since the last token or comment
  bool started_ = false;   // inside a statement
  bool broken_ = false;    // a comment has ended the line
  bool separate_ = false;  // a `; ` is needed before the next statement
  bool after_comment_ = false;
  bool unary_ = false;  // the last token is the sign of a number
};

/// Blocks that contain a newline: each of their statements gets its own line.
std::set<size_t> blocks_over_lines(const std::vector<Token>& tokens, const base::SourceSet& sources) {
  std::set<size_t> result;
  std::vector<size_t> open;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const bool newline = tokens[i].type == VaeLexer::NEWLINE ||
                         (tokens[i].type == VaeLexer::BLOCK_COMMENT &&
                          sources.text(tokens[i].span).find('\n') != std::string_view::npos);
    if (newline) result.insert(open.begin(), open.end());
    if (tokens[i].type == VaeLexer::LBRACE) open.push_back(i);
    if (tokens[i].type == VaeLexer::RBRACE) open.pop_back();
  }
  return result;
}

size_t columns(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

/// In lines [begin, end), moves the mark to the same column.
void align(std::vector<Line>& lines, size_t begin, size_t end, Line::Mark mark) {
  size_t column = 0;
  for (size_t i = begin; i < end; ++i)
    if (lines[i].at[mark] != 0)
      column = std::max(column, columns(std::string_view(lines[i].text).substr(0, lines[i].at[mark])));
  for (size_t i = begin; i < end; ++i) {
    const size_t at = lines[i].at[mark];
    if (at == 0) continue;
    const size_t missing = column - columns(std::string_view(lines[i].text).substr(0, at));
    lines[i].text.insert(at, missing, ' ');
    for (size_t& other : lines[i].at)
      if (other >= at) other += missing;
  }
}

/// Aligns in neighbouring lines: the `|` and `~` of conditionals, the `=` of a family, the `:` of variables,
/// the `{` of sources and methods, and comments.
void align(std::vector<Line>& lines) {
  const auto runs = [&](Line::Mark leading, std::initializer_list<Line::Mark> marks) {
    const auto belongs = [&](size_t i, size_t first) {
      return i < lines.size() && lines[i].statement && lines[i].indent == lines[first].indent &&
             lines[i].at[leading] != 0;
    };
    for (size_t i = 0; i < lines.size(); ++i) {
      size_t end = i;
      while (belongs(end, i)) ++end;
      for (const Line::Mark mark : marks) align(lines, i, end, mark);
      if (end > i) i = end - 1;
    }
  };
  runs(Line::tilde, {Line::bar, Line::tilde});
  runs(Line::assign, {Line::assign});
  runs(Line::colon, {Line::colon});
  runs(Line::brace, {Line::brace});
  runs(Line::comment, {Line::comment});
}

}  // namespace

std::string format(base::FileId file, const base::SourceSet& sources) {
  const std::vector<Token> tokens = lex(file, sources, nullptr);
  std::set<size_t> expand = blocks_over_lines(tokens, sources);
  std::vector<Line> lines;
  while (true) {
    lines = Formatter(tokens, sources, expand).run();
    const size_t known = expand.size();
    for (const Line& line : lines)
      if (!line.one_line_blocks.empty() && columns(line.text) > line_width)
        expand.insert(line.one_line_blocks.front());
    if (expand.size() == known) break;
  }
  align(lines);
  std::string text;
  for (const Line& line : lines) text += line.text + '\n';
  return text;
}

}  // namespace syntax
