// From ANTLR's contexts to the syntax tree. In: the parse of one file; parts with an error are left out. Out:
// the tree, and reports of errors that the grammar allows: numbers out of range, expressions too deep,
// statements in the wrong block.
#pragma once
#include <VaeParser.h>

#include "compiler/base/report.h"
#include "compiler/syntax/tree.h"

namespace syntax {

Tree build_tree(base::FileId file, VaeParser::FileContext& context, base::Report& report);

/// The kinds of block. Each allows different statements.
enum class BlockKind { net, player, source, family, from, learn };

/// Builds expressions. build_tree.cpp uses it and builds everything else.
class ExprBuilder {
 public:
  ExprBuilder(base::FileId file, base::Report& report) : file_(file), report_(report) {}

  ExprPtr expression(VaeParser::ExpressionContext* context);
  ExprPtr value(VaeParser::ValueContext* context);
  std::vector<Argument> arguments(VaeParser::ArgumentsContext* context);
  std::vector<ExprPtr> expressions(VaeParser::ExpressionsContext* context);
  Name name(VaeParser::NameContext* context);
  std::string unescape(antlr4::Token* token);
  Span span(antlr4::ParserRuleContext* context) const;
  Span span(antlr4::Token* token) const;

 private:
  class Deeper;
  ExprPtr disjunction(VaeParser::DisjunctionContext* context);
  ExprPtr conjunction(VaeParser::ConjunctionContext* context);
  ExprPtr negation(VaeParser::NegationContext* context);
  ExprPtr comparison(VaeParser::ComparisonContext* context);
  ExprPtr sum(VaeParser::SumContext* context);
  ExprPtr product(VaeParser::ProductContext* context);
  ExprPtr unary(VaeParser::UnaryContext* context);
  ExprPtr power(VaeParser::PowerContext* context);
  ExprPtr postfix(VaeParser::PostfixContext* context);
  ExprPtr suffix(ExprPtr operand, VaeParser::SuffixContext* context);
  ExprPtr primary(VaeParser::PrimaryContext* context);
  ExprPtr integer(antlr4::Token* token);
  ExprPtr real(antlr4::Token* token);
  ExprPtr map(VaeParser::MapContext* context);
  std::vector<Subscript> subscripts(VaeParser::SubscriptsContext* context);

  ExprPtr make(ExprKind kind, Span span) const;
  ExprPtr binary(ExprPtr left, antlr4::Token* operation, ExprPtr right) const;
  ExprPtr prefix(antlr4::Token* operation, ExprPtr operand) const;
  std::string_view text(antlr4::Token* token) const;
  /// Reports once if an expression is deeper than later stages can recurse.
  bool too_deep(antlr4::ParserRuleContext* context);

  base::FileId file_;
  base::Report& report_;
  size_t depth_ = 0;
  bool refused_ = false;
};

}  // namespace syntax
