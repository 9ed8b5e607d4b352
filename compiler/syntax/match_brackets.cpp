#include "compiler/syntax/match_brackets.h"

#include <antlr4-runtime.h>

#include "compiler/syntax/mend_brackets.h"

namespace syntax {

namespace {

class BracketMatcher {
 public:
  BracketMatcher(const std::vector<Token>& tokens, const Lines& lines, base::Report& report)
      : tokens_(tokens),
        report_(report),
        lines_(lines),
        repairs_(tokens.size()),
        mender_(tokens, lines_, repairs_, report) {}

  Repairs run() {
    const size_t file_end = tokens_.size() - 1;
    size_t begin = 0, indentation = static_cast<size_t>(-1);
    for (size_t i = 0; i <= file_end; ++i) {
      const bool begins =
          lines_.starts(i) && begins_declaration(tokens_[i].type) && lines_.indentation(i) <= indentation;
      if (!begins && i != file_end) continue;
      if (i > begin) match(begin, i);
      begin = i;
      indentation = lines_.indentation(i);
    }
    return std::move(repairs_);
  }

 private:
  /// Matches the brackets of the tokens [begin, end): a declaration, and the `net` and `let` declarations
  /// after it.
  void match(size_t begin, size_t end) {
    if (is_balanced(begin, end)) {
      mender_.pass_balanced();
      return;
    }
    const bool silent = std::exchange(gave_up_, false);
    const bool indented = body_is_indented(begin, end);
    for (size_t i = begin + 1; i <= end; ++i) {
      const bool begins =
          lines_.starts(i) && (tokens_[i].type == VaeLexer::NET || tokens_[i].type == VaeLexer::LET) &&
          lines_.indentation(i) <= lines_.indentation(begin) && (indented || is_balanced(i, end));
      if (!begins && i != end) continue;
      is_balanced(begin, i) ? mender_.pass_balanced() : mender_.mend(begin, i, silent);
      begin = i;
    }
  }

  /// Whether a `net` or `let` without indentation begins a declaration. This is so if the statements of the
  /// block are indented.
  bool body_is_indented(size_t begin, size_t end) const {
    size_t i = begin;
    int blocks = 0;
    while (i < end && tokens_[i].type != VaeLexer::NEWLINE) {
      blocks += (tokens_[i].type == VaeLexer::LBRACE) - (tokens_[i].type == VaeLexer::RBRACE);
      ++i;
    }
    while (i < end && tokens_[i].type == VaeLexer::NEWLINE) ++i;
    return blocks <= 0 || i == end || tokens_[i].type == VaeLexer::RBRACE ||
           lines_.indentation(i) > lines_.indentation(begin);
  }

  bool is_balanced(size_t begin, size_t end) {
    std::vector<size_t> open;
    bool matches = true;
    for (size_t i = begin; i < end; ++i) {
      if (repairs_.drop[i]) continue;
      if (is_opening(tokens_[i].type)) {
        open.push_back(tokens_[i].type);
        if (open.size() <= deepest_nesting) continue;
        i = refuse_nesting(i, end);
        open.pop_back();
      } else if (is_closing(tokens_[i].type)) {
        matches &= !open.empty() && closing_of(open.back()) == tokens_[i].type;
        if (!open.empty()) open.pop_back();
      }
    }
    return matches && open.empty();
  }

  /// Drops the bracket at `i` with all that it contains. Returns the index of its closing bracket.
  size_t refuse_nesting(size_t i, size_t end) {
    // If brackets nest too deep in one place, they mostly do so nearby too: only the first place is reported.
    if (!refused_)
      report_.add(base::E0119, tokens_[i].span, deepest_nesting).help("name a part of it with `let`");
    refused_ = true;
    size_t depth = 0;
    for (; i < end; ++i) {
      repairs_.drop[i] = true;
      if (is_opening(tokens_[i].type)) ++depth;
      if (is_closing(tokens_[i].type) && --depth == 0) return i;
    }
    gave_up_ = true;  // brackets that are open now may have been closed in the dropped tokens
    return end - 1;
  }

  const std::vector<Token>& tokens_;
  base::Report& report_;
  const Lines& lines_;
  Repairs repairs_;
  BracketMender mender_;
  bool gave_up_ = false;
  bool refused_ = false;  // too deep nesting has been reported
};

}  // namespace

Repairs match_brackets(const std::vector<Token>& tokens, const Lines& lines, base::Report& report) {
  return BracketMatcher(tokens, lines, report).run();
}

}  // namespace syntax
