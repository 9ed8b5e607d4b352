#include "compiler/syntax/recover.h"

#include <algorithm>

namespace syntax {

using antlr4::Parser;

antlr4::Token* Recovery::recoverInline(Parser* parser) { throw antlr4::InputMismatchException(parser); }

void Recovery::reportError(Parser* parser, const antlr4::RecognitionException& error) {
  // The same error is reported by every rule up to the statement. Only the first report, from the innermost
  // rule, counts.
  if (failed_) return;
  failed_ = true;
  const size_t at = error.getOffendingToken()->getTokenIndex();
  found_ = explain_error(tokens_, at, parser->getContext()->getRuleIndex(), error.getExpectedTokens(),
                         report_.sources());
}

void Recovery::recover(Parser* parser, std::exception_ptr error) {
  const antlr4::ParserRuleContext* context = parser->getContext();
  switch (context->getRuleIndex()) {
    case VaeParser::RuleDeclaration:
    case VaeParser::RuleStatement:
    case VaeParser::RuleCompleteItem:
      skip_statement(static_cast<VaeParser&>(*parser), context->start->getTokenIndex());
      return;
    case VaeParser::RuleFile:
      return;
    default:
      std::rethrow_exception(error);
  }
}

void Recovery::sync(Parser* parser) {
  // ANTLR calls this before each round of a loop. Only the loops over declarations, statements and the items
  // of `complete` matter here: a token that cannot begin one of them must not end the block.
  const size_t rule = parser->getContext()->getRuleIndex();
  if (rule != VaeParser::RuleFile && rule != VaeParser::RuleBlock && rule != VaeParser::RuleCompleteStatement)
    return;
  const antlr4::atn::ATN& atn = parser->getATN();
  antlr4::atn::ATNState* state = atn.states[parser->getState()];
  if (state->getStateType() != antlr4::atn::ATNState::STAR_LOOP_ENTRY &&
      state->getStateType() != antlr4::atn::ATNState::STAR_LOOP_BACK)
    return;
  while (true) {
    const antlr4::misc::IntervalSet& expected = atn.nextTokens(state);
    const size_t at = parser->getTokenStream()->index();
    const size_t type = tokens_[at].type;
    if (expected.contains(type) || type == antlr4::Token::EOF) return;
    failed_ = true;
    found_ = explain_error(tokens_, at, rule, expected, report_.sources());
    skip_statement(static_cast<VaeParser&>(*parser), at);
  }
}

bool Recovery::goes_on(size_t end, bool incomplete) const {
  const Token& next = tokens_[end + 1];
  if (!incomplete || next.type == antlr4::Token::EOF || next.depth < tokens_[end].depth) return false;
  if (report_.sources().text(tokens_[end].span) == ";") return false;
  return is_operator(next.type) || (next.depth == 0 && !begins_declaration(next.type) &&
                                    next.type != VaeParser::NET && next.type != VaeParser::LET);
}

bool Recovery::on_one_line(size_t first, size_t last) const {
  const base::Span from = tokens_[first].span;
  const base::Span between{from.file, from.begin, tokens_[last].span.begin};
  return report_.sources().text(between).find('\n') == std::string_view::npos;
}

bool Recovery::follows(size_t start, size_t at) const {
  const auto separates = [&](size_t i) {
    const size_t type = tokens_[i].type;
    return type == VaeParser::END || type == VaeParser::LBRACE || type == VaeParser::RBRACE;
  };
  size_t before = start;
  while (before > 0 && separates(before - 1)) --before;
  if (last_wrong_ < start && before <= last_end_ && (at == start || on_one_line(last_wrong_, at)))
    return true;
  if (is_last(at) || at == start) {
    // The error stands where a `}` is missing, which was reported.
    size_t next = at;
    while (tokens_[next].type != VaeParser::END && tokens_[next].type != antlr4::Token::EOF) ++next;
    if (tokens_[next].type == VaeParser::END && tokens_[next + 1].type == VaeParser::RBRACE &&
        tokens_[next + 1].repaired)
      return true;
  }
  if (at != start) return false;
  for (size_t i = before; i > 0 && !separates(i - 1) && on_one_line(i - 1, at); --i)
    if (tokens_[i - 1].repaired) return true;
  return false;
}

bool Recovery::is_last(size_t at) const {
  const auto ends = [&](size_t i) {
    const size_t type = tokens_[i].type;
    return type == VaeParser::END || type == VaeParser::LBRACE || type == antlr4::Token::EOF;
  };
  if (ends(at)) return true;
  do ++at;
  while (is_closing(tokens_[at].type));
  return ends(at);
}

void Recovery::take_note(size_t start, size_t at, size_t end) {
  for (size_t i = start; i <= end; ++i) wrong_[i] = true;
  last_wrong_ = is_last(at) ? at : static_cast<size_t>(-1);
  last_end_ = end;
}

void Recovery::report_missing_braces() const {
  for (size_t i = 0; i < tokens_.size(); ++i) {
    if (!tokens_[i].supplied || tokens_[i].repaired || wrong_[i]) continue;
    report_.add(explain_error(tokens_, i, VaeParser::RuleBlock,
                              antlr4::misc::IntervalSet::of(VaeParser::LBRACE, VaeParser::LBRACE),
                              report_.sources())
                    .diagnostic);
  }
}

void Recovery::skip_statement(VaeParser& parser, size_t start) {
  const int depth = tokens_[start].depth;
  const SyntaxError error = std::move(*found_);
  found_.reset();
  // A statement that begins with a name has no block. But at the top level, the name may be a misspelt
  // declaration.
  const bool may_have_block = depth == 0 || !is_name(tokens_[start].type);
  bool repaired = false;
  bool on_next_line = false;
  bool in_map = false;
  std::vector<size_t> blocks;  // blocks of this statement, which are read despite the error
  size_t end = start;
  for (;; ++end) {
    const Token& token = tokens_[end];
    repaired |= token.repaired;
    if (token.type == antlr4::Token::EOF || token.depth < depth) break;
    if (token.depth > depth) continue;
    if (token.type == VaeParser::END) {
      on_next_line = goes_on(end, on_next_line || end == parser.getTokenStream()->index());
      if (!on_next_line) break;
    }
    if (token.type == VaeParser::LBRACE && end > start && is_operator(tokens_[end - 1].type)) in_map = true;
    if (token.type == VaeParser::LBRACE && may_have_block && end > start &&
        !is_operator(tokens_[end - 1].type) && end >= parser.getTokenStream()->index())
      blocks.push_back(end);
    if (token.type == VaeParser::RBRACE && !std::exchange(in_map, false) &&
        tokens_[end + 1].type != VaeParser::ELSE) {
      ++end;
      break;
    }
  }
  // An error that was repaired before parsing has been reported; this error only follows from it.
  if (!repaired && !follows(start, error.at)) report_.add(error.diagnostic);
  take_note(start, error.at, blocks.empty() ? end : blocks.front());
  for (size_t block : blocks) {
    parser.getTokenStream()->seek(block);
    failed_ = false;
    parser.block();
  }
  parser.getTokenStream()->seek(end);
  failed_ = false;
}

}  // namespace syntax
