#include <charconv>

#include "compiler/syntax/build_tree.h"

namespace syntax {

namespace {
/// The deepest nesting of operations. Later stages recurse over expressions without a check.
constexpr size_t deepest_expression = 1000;
}  // namespace

/// Counts the levels that the operators of one rule add to the tree above an operand.
class ExprBuilder::Deeper {
 public:
  Deeper(ExprBuilder& builder, size_t levels) : builder_(builder), levels_(levels) {
    builder_.depth_ += levels_;
  }
  ~Deeper() { builder_.depth_ -= levels_; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;

 private:
  ExprBuilder& builder_;
  size_t levels_;
};

Span ExprBuilder::span(antlr4::ParserRuleContext* context) const {
  return {file_, static_cast<uint32_t>(context->start->getStartIndex()),
          static_cast<uint32_t>(context->stop->getStopIndex() + 1)};
}

Span ExprBuilder::span(antlr4::Token* token) const {
  return {file_, static_cast<uint32_t>(token->getStartIndex()),
          static_cast<uint32_t>(token->getStopIndex() + 1)};
}

std::string_view ExprBuilder::text(antlr4::Token* token) const { return report_.sources().text(span(token)); }

Name ExprBuilder::name(VaeParser::NameContext* context) {
  return {std::string(text(context->start)), span(context)};
}

ExprPtr ExprBuilder::make(ExprKind kind, Span span) const {
  auto expr = std::make_unique<Expr>();
  expr->kind = kind;
  expr->span = span;
  return expr;
}

ExprPtr ExprBuilder::binary(ExprPtr left, antlr4::Token* operation, ExprPtr right) const {
  auto expr = make(ExprKind::binary, base::join(left->span, right->span));
  expr->text = text(operation);
  expr->text_span = span(operation);
  expr->operands.push_back(std::move(left));
  expr->operands.push_back(std::move(right));
  return expr;
}

ExprPtr ExprBuilder::prefix(antlr4::Token* operation, ExprPtr operand) const {
  auto expr = make(ExprKind::unary, base::join(span(operation), operand->span));
  expr->text = text(operation);
  expr->text_span = span(operation);
  expr->operands.push_back(std::move(operand));
  return expr;
}

bool ExprBuilder::too_deep(antlr4::ParserRuleContext* context) {
  if (depth_ <= deepest_expression) return false;
  if (!refused_)
    report_.add(base::E0111, span(context), deepest_expression).help("name a part of it with `let`");
  refused_ = true;
  return true;
}

ExprPtr ExprBuilder::expression(VaeParser::ExpressionContext* context) {
  if (too_deep(context)) return make(ExprKind::integer, span(context));
  return disjunction(context->disjunction());
}

namespace {
antlr4::Token* token_of(antlr4::tree::ParseTree* child) {
  return static_cast<antlr4::tree::TerminalNode*>(child)->getSymbol();
}
}  // namespace

// The children of a rule are in turn operand, operator, operand, ...

ExprPtr ExprBuilder::disjunction(VaeParser::DisjunctionContext* context) {
  const auto& children = context->children;
  const Deeper deeper(*this, children.size() / 2);
  if (children.size() > 1 && too_deep(context)) return make(ExprKind::boolean, span(context));
  ExprPtr result = conjunction(static_cast<VaeParser::ConjunctionContext*>(children[0]));
  for (size_t i = 2; i < children.size(); i += 2)
    result = binary(std::move(result), token_of(children[i - 1]),
                    conjunction(static_cast<VaeParser::ConjunctionContext*>(children[i])));
  return result;
}

ExprPtr ExprBuilder::conjunction(VaeParser::ConjunctionContext* context) {
  const auto& children = context->children;
  const Deeper deeper(*this, children.size() / 2);
  if (children.size() > 1 && too_deep(context)) return make(ExprKind::boolean, span(context));
  ExprPtr result = negation(static_cast<VaeParser::NegationContext*>(children[0]));
  for (size_t i = 2; i < children.size(); i += 2)
    result = binary(std::move(result), token_of(children[i - 1]),
                    negation(static_cast<VaeParser::NegationContext*>(children[i])));
  return result;
}

ExprPtr ExprBuilder::negation(VaeParser::NegationContext* context) {
  const auto& children = context->children;
  const Deeper deeper(*this, children.size() - 1);
  if (children.size() > 1 && too_deep(context)) return make(ExprKind::boolean, span(context));
  ExprPtr result = comparison(context->comparison());
  for (size_t i = children.size() - 1; i-- > 0;) result = prefix(token_of(children[i]), std::move(result));
  return result;
}

ExprPtr ExprBuilder::comparison(VaeParser::ComparisonContext* context) {
  const auto& children = context->children;
  if (children.size() == 1) return sum(static_cast<VaeParser::SumContext*>(children[0]));
  const Deeper deeper(*this, 1);
  ExprPtr left = sum(static_cast<VaeParser::SumContext*>(children[0]));
  return binary(std::move(left), token_of(children[1]),
                sum(static_cast<VaeParser::SumContext*>(children[2])));
}

ExprPtr ExprBuilder::sum(VaeParser::SumContext* context) {
  const auto& children = context->children;
  const Deeper deeper(*this, children.size() / 2);
  if (children.size() > 1 && too_deep(context)) return make(ExprKind::integer, span(context));
  ExprPtr result = product(static_cast<VaeParser::ProductContext*>(children[0]));
  for (size_t i = 2; i < children.size(); i += 2)
    result = binary(std::move(result), token_of(children[i - 1]),
                    product(static_cast<VaeParser::ProductContext*>(children[i])));
  return result;
}

ExprPtr ExprBuilder::product(VaeParser::ProductContext* context) {
  const auto& children = context->children;
  const Deeper deeper(*this, children.size() / 2);
  if (children.size() > 1 && too_deep(context)) return make(ExprKind::integer, span(context));
  ExprPtr result = unary(static_cast<VaeParser::UnaryContext*>(children[0]));
  for (size_t i = 2; i < children.size(); i += 2)
    result = binary(std::move(result), token_of(children[i - 1]),
                    unary(static_cast<VaeParser::UnaryContext*>(children[i])));
  return result;
}

ExprPtr ExprBuilder::unary(VaeParser::UnaryContext* context) {
  const auto& children = context->children;
  const Deeper deeper(*this, children.size() - 1);
  if (children.size() > 1 && too_deep(context)) return make(ExprKind::integer, span(context));
  ExprPtr result = power(context->power());
  for (size_t i = children.size() - 1; i-- > 0;) result = prefix(token_of(children[i]), std::move(result));
  return result;
}

ExprPtr ExprBuilder::power(VaeParser::PowerContext* context) {
  const auto& children = context->children;
  if (children.size() == 1) return postfix(context->postfix());
  const auto exponents = context->exponent();
  size_t levels = 0;
  for (auto* exponent : exponents) levels += exponent->children.size();
  const Deeper deeper(*this, levels);
  if (too_deep(context)) return make(ExprKind::integer, span(context));
  // a ** -b ** c is a ** (-(b ** c)). From right to left, the minus signs of each exponent are applied after
  // its power.
  ExprPtr result;
  for (size_t i = exponents.size(); i-- > 0;) {
    const auto& parts = exponents[i]->children;
    ExprPtr base = postfix(exponents[i]->postfix());
    if (result) base = binary(std::move(base), token_of(children[2 * i + 3]), std::move(result));
    for (size_t k = parts.size() - 1; k-- > 0;) base = prefix(token_of(parts[k]), std::move(base));
    result = std::move(base);
  }
  return binary(postfix(context->postfix()), token_of(children[1]), std::move(result));
}

ExprPtr ExprBuilder::postfix(VaeParser::PostfixContext* context) {
  const auto& children = context->children;
  const Deeper deeper(*this, children.size());
  if (children.size() > 1 && too_deep(context)) return make(ExprKind::integer, span(context));
  ExprPtr result = primary(context->primary());
  for (size_t i = 1; i < children.size(); ++i)
    result = suffix(std::move(result), static_cast<VaeParser::SuffixContext*>(children[i]));
  return result;
}

ExprPtr ExprBuilder::suffix(ExprPtr operand, VaeParser::SuffixContext* context) {
  auto expr = make(ExprKind::call, base::join(operand->span, span(context)));
  expr->operands.push_back(std::move(operand));
  if (auto* list = context->arguments()) {
    expr->arguments = arguments(list);
  } else if (auto* index = context->subscripts()) {
    expr->kind = ExprKind::index;
    expr->subscripts = subscripts(index);
  } else {
    const Name field = name(context->name());
    expr->kind = ExprKind::field;
    expr->text = field.text;
    expr->text_span = field.span;
  }
  return expr;
}

std::vector<Argument> ExprBuilder::arguments(VaeParser::ArgumentsContext* context) {
  std::vector<Argument> list;
  for (auto* argument : context->argument()) {
    Argument entry;
    entry.span = span(argument);
    ExprPtr first = expression(argument->expression());
    if (auto* named = argument->value()) {
      if (first->kind == ExprKind::name)
        entry.name = Name{first->text, first->span};
      else
        report_.add(base::E0115, first->span).help("values are compared with `==`");
      entry.value = value(named);
    } else {
      entry.value = std::move(first);
    }
    list.push_back(std::move(entry));
  }
  return list;
}

std::vector<Subscript> ExprBuilder::subscripts(VaeParser::SubscriptsContext* context) {
  std::vector<Subscript> list;
  for (auto* subscript : context->subscript()) {
    Subscript entry;
    entry.span = span(subscript);
    entry.slice = subscript->COLON() != nullptr;
    bool behind = false;
    for (auto* child : subscript->children) {
      auto* bound = dynamic_cast<VaeParser::ExpressionContext*>(child);
      if (!bound)
        behind = true;
      else
        (behind ? entry.end : entry.begin) = expression(bound);
    }
    list.push_back(std::move(entry));
  }
  return list;
}

std::vector<ExprPtr> ExprBuilder::expressions(VaeParser::ExpressionsContext* context) {
  std::vector<ExprPtr> list;
  if (!context) return list;
  for (auto* item : context->expression()) list.push_back(expression(item));
  return list;
}

ExprPtr ExprBuilder::value(VaeParser::ValueContext* context) {
  return context->map() ? map(context->map()) : expression(context->expression());
}

ExprPtr ExprBuilder::map(VaeParser::MapContext* context) {
  auto expr = make(ExprKind::map, span(context));
  for (auto* item : context->mapEntry()) {
    Argument entry;
    entry.name = name(item->name());
    if (item->INTEGER()) {  // the name of an element of an array
      entry.name->text += "[" + std::string(text(item->INTEGER()->getSymbol())) + "]";
      entry.name->span.end = span(item->RBRACKET()->getSymbol()).end;
    }
    entry.value = value(item->value());
    entry.span = span(item);
    expr->arguments.push_back(std::move(entry));
  }
  return expr;
}

ExprPtr ExprBuilder::primary(VaeParser::PrimaryContext* context) {
  const Deeper deeper(*this, 1);
  antlr4::Token* token = context->start;
  switch (token->getType()) {
    case VaeParser::INTEGER:
      return integer(token);
    case VaeParser::REAL:
      return real(token);
    case VaeParser::TRUE:
    case VaeParser::FALSE: {
      auto expr = make(ExprKind::boolean, span(context));
      expr->boolean = token->getType() == VaeParser::TRUE;
      return expr;
    }
    case VaeParser::STRING: {
      auto expr = make(ExprKind::string, span(context));
      expr->text = unescape(token);
      return expr;
    }
    case VaeParser::LPAREN: {
      std::vector<ExprPtr> items = expressions(context->expressions());
      if (items.size() == 1) {
        items[0]->span = span(context);
        return std::move(items[0]);
      }
      auto expr = make(ExprKind::tuple, span(context));
      expr->operands = std::move(items);
      return expr;
    }
    case VaeParser::LBRACKET: {
      auto expr = make(ExprKind::list, span(context));
      expr->operands = expressions(context->expressions());
      return expr;
    }
    default: {
      auto expr = make(ExprKind::name, span(context));
      expr->text = text(token);
      return expr;
    }
  }
}

namespace {
std::string without_separators(std::string_view digits) {
  std::string plain;
  for (const char c : digits)
    if (c != '_') plain += c;
  return plain;
}
}  // namespace

ExprPtr ExprBuilder::integer(antlr4::Token* token) {
  auto expr = make(ExprKind::integer, span(token));
  const std::string digits = without_separators(text(token));
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), expr->integer);
  if (error == std::errc::result_out_of_range)
    report_.add(base::E0108, span(token), text(token), "integers go up to 9223372036854775807");
  return expr;
}

ExprPtr ExprBuilder::real(antlr4::Token* token) {
  auto expr = make(ExprKind::real, span(token));
  const std::string digits = without_separators(text(token));
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), expr->real);
  if (error == std::errc::result_out_of_range) {
    // A number that is too small is 0, as in every language. A number that is too large is an error.
    const size_t exponent = digits.find_first_of("eE");
    const bool tiny = exponent == std::string::npos ? digits[0] == '0' : digits[exponent + 1] == '-';
    if (!tiny) report_.add(base::E0108, span(token), text(token), "reals go up to 1.797e308");
  }
  return expr;
}

std::string ExprBuilder::unescape(antlr4::Token* token) {
  const std::string_view quoted = text(token);
  std::string plain;
  for (size_t i = 1; i + 1 < quoted.size(); ++i) {
    if (quoted[i] != '\\') {
      plain += quoted[i];
      continue;
    }
    ++i;
    plain += quoted[i] == 'n' ? '\n' : quoted[i] == 't' ? '\t' : quoted[i];
  }
  return plain;
}

}  // namespace syntax
