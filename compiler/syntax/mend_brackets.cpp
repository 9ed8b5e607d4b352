#include "compiler/syntax/mend_brackets.h"

#include <antlr4-runtime.h>

#include <algorithm>

namespace syntax {

namespace {

constexpr size_t none = static_cast<size_t>(-1);

bool needs_block(size_t head, size_t following) {
  switch (head) {
    case VaeLexer::FAMILY:
    case VaeLexer::NET:
    case VaeLexer::SOURCE:
    case VaeLexer::DECODER:
    case VaeLexer::ENCODER:
    case VaeLexer::PLAYER:
    case VaeLexer::LEARN:
    case VaeLexer::FOR:
    case VaeLexer::IF:
    case VaeLexer::ELSE:
      return true;
    case VaeLexer::COMPLETE:
    case VaeLexer::FROM:
      return following == VaeLexer::LBRACE || is_name(following);
    default:
      return false;
  }
}

}  // namespace

class BracketMender::Mender {
 public:
  Mender(const std::vector<Token>& tokens, const Lines& lines, Repairs& repairs, base::Report& report)
      : tokens_(tokens), lines_(lines), repairs_(repairs), report_(report), sources_(report.sources()) {
    comment_open_ = tokens.size() > 1 && tokens[tokens.size() - 2].type == VaeLexer::OPEN_COMMENT;
  }

  /// Call it before a declaration whose brackets match, instead of `mend`.
  void pass_balanced() { unclosed_block_ = false; }

  /// Repairs the declaration of the tokens [begin, end). If `silent`, nothing is reported, because errors
  /// would only follow from an earlier one.
  void mend(size_t begin, size_t end, bool silent) {
    end_ = end;
    silent_ = silent;
    brace_reported_ = false;
    left_out_ = 0;
    late_ = unclosed_block_ && begins_with_late_brace(begin) ? 1 : 0;
    late_values_ = 0;
    reported_ = false;
    unclosed_block_ = false;
    rest_ = 0;
    for (size_t i = begin; i < end; ++i)
      if (!repairs_.drop[i]) rest_ += brace_sign(tokens_[i].type);
    rest_ -= late_;
    last_ = VaeLexer::END;
    for (size_t i = begin; i < end; ++i)
      if (!repairs_.drop[i]) read(i);
    if (!values_.empty()) unclosed_values(0, end, true);
    while (!blocks_.empty()) unclosed_block(end);
    statement_ = none;
  }

 private:
  static int brace_sign(size_t type) {
    return type == VaeLexer::RBRACE ? 1 : type == VaeLexer::LBRACE ? -1 : 0;
  }
  /// Whether the first `}` without a `{` stands at the start of a line. It may then belong to the block
  /// above.
  bool begins_with_late_brace(size_t begin) const {
    int open = 0;
    for (size_t i = begin; i < end_; ++i) {
      if (repairs_.drop[i]) continue;
      open -= brace_sign(tokens_[i].type);
      if (open < 0) return lines_.starts(i);
    }
    return false;
  }
  int open_blocks() const { return static_cast<int>(blocks_.size()); }

  void read(size_t i) {
    const size_t type = tokens_[i].type;
    if (type == VaeLexer::NEWLINE) {
      end_line(i);
      return;
    }
    if (type == VaeLexer::END) {
      if (!values_.empty()) unclosed_values(0, i, false);
      end_statement(i);
      last_ = type;
      return;
    }
    if (statement_ == none && lines_.starts(i)) end_dedented_blocks(i);
    rest_ -= brace_sign(type);
    if (type == VaeLexer::LBRACE) {
      open_brace(i);
    } else if (is_closing(type)) {
      type == VaeLexer::RBRACE ? close_brace(i) : close_value(i);
    } else {
      if (statement_ == none) begin_statement(i);
      if (is_opening(type)) values_.push_back(i);
      entry_ |= type == VaeLexer::COLON && assigned_ && values_.empty();
      assigned_ |= type == VaeLexer::ASSIGN && values_.empty();
      if (type == VaeLexer::ASSIGN && last_ == VaeLexer::RPAREN && head_ == VaeLexer::NET)
        wants_block_ = false;
    }
    reported_ |= tokens_[i].repaired;
    last_ = type;
  }

  void begin_statement(size_t i) {
    statement_ = i;
    head_ = tokens_[i].type;
    wants_block_ = needs_block(head_, tokens_[i + 1].type);
    assigned_ = entry_ = false;
    reported_ = false;
    if (lines_.starts(i) && !is_closing(head_)) late_values_ = 0;
  }

  int braces_among_values() const {
    return static_cast<int>(std::count_if(values_.begin(), values_.end(),
                                          [&](size_t i) { return tokens_[i].type == VaeLexer::LBRACE; }));
  }
  bool holds_brace() const { return braces_among_values() > 0; }

  /// Whether the line that begins with token `next` begins something new. Then the open brackets should have
  /// been closed before it.
  bool starts_anew(size_t next) const {
    if (next >= end_ || begins_statement(tokens_[next].type)) return true;
    if (tokens_[next].type == VaeLexer::RBRACE) return !holds_brace() && rest_ <= open_blocks();
    if (is_operator(last_) || is_opening(last_) || !is_name(tokens_[next].type)) return false;
    const size_t after = tokens_[next + 1].type;
    if (needs_block(tokens_[next].type, after)) return true;
    return lines_.indentation(next) <= lines_.indentation(statement_) &&
           (after == VaeLexer::ASSIGN || after == VaeLexer::TILDE || after == VaeLexer::BAR);
  }

  void end_line(size_t i) {
    const size_t next = lines_.following(i);
    if (!values_.empty()) {
      if (!starts_anew(next)) return;
      unclosed_values(0, i, true);
    }
    const size_t type = tokens_[next].type;
    if (is_operator(last_) && !begins_statement(type) && type != VaeLexer::RBRACE) return;
    if (type == VaeLexer::LBRACE || type == VaeLexer::ELSE) return;
    end_statement(i);
  }

  void end_statement(size_t i) {
    if (statement_ != none && wants_block_ && rest_ > open_blocks()) begin_block_without_brace(i);
    statement_ = none;
  }

  /// Begins the block. The parser reports the missing `{`, unless the statement already has an error.
  void begin_block_without_brace(size_t i) {
    repairs_.open_before[i] = reported_ ? Repairs::Opening::reported : Repairs::Opening::unreported;
    blocks_.push_back(statement_);
    wants_block_ = false;
  }

  /// Closes blocks if a `}` is missing: a line that is not indented more than the head of a block is not part
  /// of it.
  void end_dedented_blocks(size_t i) {
    if (tokens_[i].type == VaeLexer::ELSE || tokens_[i].type == VaeLexer::LBRACE) return;
    while (blocks_.size() > 1 && rest_ < open_blocks() && is_dedented(i)) unclosed_block(i);
  }
  bool is_dedented(size_t i) const {
    const size_t head = lines_.indentation(blocks_.back());
    // The `}` of a block has the same indentation as its head.
    return tokens_[i].type == VaeLexer::RBRACE ? lines_.indentation(i) < head : lines_.indentation(i) <= head;
  }

  void open_brace(size_t i) {
    if (statement_ == none) {
      if (rest_ < open_blocks() + 1) {
        if (!std::exchange(brace_reported_, true)) add(base::E0103, i, sources_.text(tokens_[i].span));
        repairs_.drop[i] = true;
        return;
      }
      begin_statement(i);
    } else if (!is_operator(last_) && (wants_block_ || (open_blocks() == 0 && is_name(head_)))) {
      if (!values_.empty() && closers_ahead(i) > 0) {
        report(base::E0103, values_.back(), sources_.text(tokens_[values_.back()].span))
            .note(tokens_[i].span, "a block begins here");
        repairs_.drop[i] = true;
        return;
      }
      if (!values_.empty()) unclosed_values(0, i, false);
      blocks_.push_back(i);
      statement_ = none;
      return;
    }
    values_.push_back(i);
    if (!is_operator(last_)) stray_ = i;
  }

  /// Reads a `)` or `]`.
  void close_value(size_t i) {
    const size_t type = tokens_[i].type;
    if (values_.empty()) {
      if (statement_ == none) begin_statement(i);
      repairs_.drop[i] = true;
      if (late_values_ > 0) {
        --late_values_;
        reported_ = true;
        return;
      }
      report(base::E0104, i, sources_.text(tokens_[i].span));
      return;
    }
    const size_t top = values_.back();
    if (closing_of(tokens_[top].type) == type) {
      values_.pop_back();
      return;
    }
    if (top == stray_) {
      report_mismatch(i);
      repairs_.replace[top] = type == VaeLexer::RPAREN ? VaeLexer::LPAREN : VaeLexer::LBRACKET;
      values_.pop_back();
      return;
    }
    size_t partner = values_.size();
    while (partner > 0 && closing_of(tokens_[values_[partner - 1]].type) != type)
      partner = tokens_[values_[partner - 1]].type == VaeLexer::LBRACE ? 0 : partner - 1;
    const size_t ahead = closers_ahead(i);
    if (partner > 0 && (ahead + 1 != values_.size() || ahead + 1 == partner)) {
      unclosed_values(partner, i, false);
      values_.pop_back();
      return;
    }
    mend_wrong_closing(i, ahead);
  }

  void mend_wrong_closing(size_t i, size_t ahead) {
    report_mismatch(i);
    if (ahead >= values_.size() || tokens_[values_.back()].type == VaeLexer::LBRACE) {
      repairs_.drop[i] = true;
      return;
    }
    repairs_.replace[i] = closing_of(tokens_[values_.back()].type);
    values_.pop_back();
  }

  void report_mismatch(size_t i) {
    const base::Span opening = tokens_[values_.back()].span;
    report(base::E0117, i, sources_.text(tokens_[i].span), sources_.text(opening))
        .note(opening, "opened here");
  }

  void close_brace(size_t i) {
    if (holds_brace()) {
      size_t partner = values_.size() - 1;
      while (tokens_[values_[partner]].type != VaeLexer::LBRACE) --partner;
      if (partner + 1 < values_.size()) unclosed_values(partner + 1, i, false);
      const bool needed = rest_ < open_blocks() + braces_among_values() - 1;
      if (values_.back() != stray_ || !needed) {
        values_.pop_back();
        return;
      }
      unclosed_values(partner, i, false);
      late_values_ = 0;
      close_brace(i);
      return;
    }
    if (!values_.empty()) {
      const size_t ahead = closers_ahead(i);
      if (ahead > 0 || rest_ >= open_blocks()) {
        if (ahead > 0 && rest_ < open_blocks()) ++left_out_;
        mend_wrong_closing(i, ahead);
        return;
      }
      unclosed_values(0, i, false);
    }
    close_block(i);
  }

  void close_block(size_t i) {
    if (statement_ != none && wants_block_ && rest_ >= open_blocks() &&
        tokens_[i + 1].type != VaeLexer::LBRACE) {
      const bool in_its_place = !ends_line(i);
      if (in_its_place) report(base::E0104, i, "}");
      begin_block_without_brace(i);
      if (in_its_place) {
        repairs_.drop[i] = true;
        statement_ = none;
        return;
      }
    }
    if (blocks_.empty()) {
      if (late_ > 0) {
        --late_;
        ++rest_;
        repairs_.late[i] = true;
      } else if (!std::exchange(brace_reported_, true)) {
        add(base::E0104, i, "}");
      }
      repairs_.drop[i] = true;
      return;
    }
    if (statement_ != none && entry_ && rest_ >= open_blocks()) {
      report(base::E0104, i, "}");
      repairs_.drop[i] = true;
      entry_ = false;
      return;
    }
    const size_t opening = blocks_.back();
    if (rest_ >= open_blocks() && comes_early(i, opening)) {
      if (!std::exchange(brace_reported_, true))
        add(base::E0118, i).note(tokens_[opening].span, "it begins here");
      reported_ = true;
      repairs_.drop[i] = true;
      return;
    }
    blocks_.pop_back();
    statement_ = none;
  }

  /// There are too many `}`: whether this one stands where no block should end.
  bool comes_early(size_t i, size_t opening) const {
    if (!lines_.same(opening, i)) return !lines_.starts(i);
    if (!ends_line(i)) return true;
    const size_t next = lines_.following(i + 1);
    return next < end_ && lines_.starts(next) && lines_.indentation(next) > lines_.indentation(opening);
  }

  bool ends_line(size_t i) const {
    const size_t next = tokens_[i + 1].type;
    return next == VaeLexer::NEWLINE || next == VaeLexer::RBRACE || next == VaeLexer::ELSE ||
           next == VaeLexer::END || next == end_of_file;
  }

  /// How many `)` and `]` in the rest of the line, within this statement, have no opening bracket there.
  size_t closers_ahead(size_t i) const {
    constexpr size_t farthest = 400;  // tokens; in a longer statement, the repair is less good
    size_t open = 0, closers = 0;
    const size_t stop = std::min(end_, i + farthest);
    for (++i; i < stop && tokens_[i].type != VaeLexer::NEWLINE && tokens_[i].type != VaeLexer::END; ++i) {
      if (tokens_[i].type == VaeLexer::LPAREN || tokens_[i].type == VaeLexer::LBRACKET) ++open;
      if (tokens_[i].type != VaeLexer::RPAREN && tokens_[i].type != VaeLexer::RBRACKET) continue;
      open > 0 ? --open : ++closers;
    }
    return closers;
  }

  /// Closes the value brackets from number `from` on before token `at`. They are reported as one mistake.
  void unclosed_values(size_t from, size_t at, bool at_line_end) {
    const size_t innermost = values_.back();
    const bool known = reported_ || swallowed(innermost);
    auto& error = report(base::E0103, innermost, sources_.text(tokens_[innermost].span));
    if (at_line_end && !known) note_what_begins(error, at);
    late_values_ = values_.size() - from;
    for (; values_.size() > from; values_.pop_back()) {
      if (values_.back() == stray_)
        repairs_.drop[stray_] = true;
      else
        ++repairs_.close_before[at];
    }
  }

  void note_what_begins(base::Diagnostic& error, size_t at) const {
    while (at < end_ && !(lines_.starts(at) && begins_statement(tokens_[at].type))) ++at;
    if (tokens_[at].type == end_of_file) return;
    error.note(tokens_[at].span,
               fmt::format("`{}` begins something new here", sources_.text(tokens_[at].span)));
  }

  void unclosed_block(size_t at) {
    const size_t opening = blocks_.back();
    blocks_.pop_back();
    ++repairs_.close_before[at];
    unclosed_block_ = true;
    // The block began without a brace, which is reported elsewhere.
    if (tokens_[opening].type != VaeLexer::LBRACE) return;
    if (left_out_ > 0) {
      --left_out_;
      return;
    }
    // If the last statement has an error, that may be because of the missing `}`.
    if (brace_reported_ || reported_ || swallowed(opening)) return;
    brace_reported_ = true;
    auto& error = add(base::E0103, opening, sources_.text(tokens_[opening].span));
    const size_t type = tokens_[at].type;
    if (type != end_of_file && !is_closing(type))
      error.note(tokens_[at].span,
                 fmt::format("`{}` begins something new here", sources_.text(tokens_[at].span)));
  }

  /// Whether an unclosed string or comment has swallowed the rest of the line, or of the file.
  bool swallowed(size_t opening) const {
    if (comment_open_) return end_ + 1 == tokens_.size();
    for (size_t i = opening; i < end_ && tokens_[i].type != VaeLexer::NEWLINE; ++i)
      if (tokens_[i].repaired && tokens_[i].type == VaeLexer::STRING) return true;
    return false;
  }

  /// Adds an error, unless the statement already has one.
  template <class Message, class... Arguments>
  base::Diagnostic& report(Message message, size_t at, const Arguments&... arguments) {
    if (std::exchange(reported_, true) || swallowed(at)) return unwanted_;
    return add(message, at, arguments...);
  }
  template <class Message, class... Arguments>
  base::Diagnostic& add(Message message, size_t at, const Arguments&... arguments) {
    if (silent_) return unwanted_;
    return report_.add(message, tokens_[at].span, arguments...);
  }

  const std::vector<Token>& tokens_;
  const Lines& lines_;
  Repairs& repairs_;
  base::Report& report_;
  const base::SourceSet& sources_;
  base::Diagnostic unwanted_;
  bool comment_open_ = false;

  size_t end_ = 0;
  bool silent_ = false;
  std::vector<size_t> blocks_;  // the `{` of each open block, or its head if there is no `{`
  std::vector<size_t> values_;  // the brackets that are open in this statement
  // The one of `values_` that is a `{` where neither a block nor a map can begin.
  size_t stray_ = none;
  size_t statement_ = none;   // the first token of the statement
  size_t head_ = 0;           // the type of its first token
  size_t last_ = 0;           // the type of the token before the current one
  bool wants_block_ = false;  // the statement is not complete without a block
  bool assigned_ = false;     // the statement has a `=` outside of brackets
  bool entry_ = false;        // and a `:` after it: an entry of a map whose `{` is missing
  bool reported_ = false;     // the statement has an error
  bool brace_reported_ = false;
  // The last declaration has an unclosed block: a `}` that follows may belong to it.
  bool unclosed_block_ = false;
  int rest_ = 0;  // number of `}` minus number of `{`, from here to the end
  int late_ = 0;
  size_t late_values_ = 0;  // `)` and `]` that the last statement did not have: they may follow now
  int left_out_ = 0;        // `}` that were treated as wrong brackets although a block needs them
};

BracketMender::BracketMender(const std::vector<Token>& tokens, const Lines& lines, Repairs& repairs,
                             base::Report& report)
    : mender_(std::make_unique<Mender>(tokens, lines, repairs, report)) {}
BracketMender::~BracketMender() = default;

void BracketMender::mend(size_t begin, size_t end, bool silent) { mender_->mend(begin, end, silent); }
void BracketMender::pass_balanced() { mender_->pass_balanced(); }

}  // namespace syntax
