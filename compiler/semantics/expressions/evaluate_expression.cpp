// Evaluates one expression: literals, names, fields, lists, operators, indexing. Calls are in call.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "compiler/semantics/analysis.h"
#include "compiler/semantics/expressions/evaluation.h"
#include "compiler/semantics/graph/tensor_limit.h"
#include "compiler/semantics/suggest.h"

namespace semantics {

using Kind = Value::Kind;
using syntax::Expr;
using syntax::ExprKind;

Value Evaluation::evaluate(const Expr& expr, Scope& scope, const ParameterContext& context) {
  if (unwinding_) return {};
  const base::Span outer = std::exchange(build.span, expr.span);
  Value value = evaluate_kind(expr, scope, context);
  build.span = outer;
  value.written = {};
  if (value.kind == Kind::tensor && count(shape(value.node)) > most_elements && expr.kind != ExprKind::name) {
    const Shape large = shape(value.node);
    error(base::E0318, expr.span, quoted(expr.span, sources), elements_text(large), to_string(large),
          most_elements);
    return {};
  }
  // A name keeps the place of its origin, so that a note can show where its shape comes from.
  if (expr.kind != ExprKind::name) value.span = expr.span;
  if (expr.kind == ExprKind::name || expr.kind == ExprKind::call) evaluator.observe(expr.span, value);
  return value;
}

Value Evaluation::evaluate_kind(const Expr& expr, Scope& scope, const ParameterContext& context) {
  switch (expr.kind) {
    case ExprKind::integer:
      return integer_value(expr.integer);
    case ExprKind::real:
      return real_value(expr.real);
    case ExprKind::boolean:
      return boolean_value(expr.boolean);
    case ExprKind::string: {
      Value value;
      value.kind = Kind::string;
      value.text = expr.text;
      return value;
    }
    case ExprKind::name:
      return name(expr, scope);
    case ExprKind::list:
    case ExprKind::tuple:
      return list(expr, scope, context);
    case ExprKind::map:
      error(base::E0229, expr.span, "a map");
      return {};
    case ExprKind::call:
      return call(expr, scope, context);
    case ExprKind::index: {
      const Value value = evaluate(*expr.operands[0], scope, context);
      return index(value, expr, scope, context);
    }
    case ExprKind::field:
      return field(expr, scope, context);
    case ExprKind::unary:
      return unary(expr.text, evaluate(*expr.operands[0], scope, context), expr.span);
    case ExprKind::binary: {
      Value left = evaluate(*expr.operands[0], scope, context);
      // If the left operand decides the result, the right one is not evaluated: `n > 0 and div(10, n) > 1`.
      if (left.kind == Kind::boolean && expr.text == (left.boolean ? "or" : "and")) return left;
      const Value right = evaluate(*expr.operands[1], scope, context);
      return binary(expr.text, left, right, expr.span);
    }
  }
  return {};
}

/// Variables and players belong to the model's graph; a family's body has a graph of its own.
bool Evaluation::is_of_the_model(const std::string& name, const Value& found) const {
  const auto declared = top.names.find(name);
  if (declared == top.names.end() || &declared->second != &found) return false;
  return found.kind == Kind::tensor || found.kind == Kind::variables || found.kind == Kind::player;
}

Value Evaluation::name(const Expr& expr, Scope& scope) {
  const Value* found = scope.find(expr.text);
  if (found && frame && is_of_the_model(expr.text, *found)) {
    error(base::E0220, expr.span, expr.text)
        .label("a family knows only its own parameters and its variable")
        .note(found->span, "this is declared for the model")
        .help("give the family a parameter, and pass the value where the family is used");
    scope.names[expr.text] = {};  // reported once
    return {};
  }
  if (found) {
    Value value = *found;
    if (value.span.file.index < 0) value.span = expr.span;
    return value;
  }
  // A proposal compares the name with all others. After many errors, no more proposals are made.
  constexpr size_t most_proposals = 100;
  const bool proposes = report.diagnostics().size() < most_proposals;
  auto& diagnostic = error(base::E0220, expr.span, expr.text);
  if (proposes) suggest(diagnostic, expr.text, scope.all_names());
  scope.names[expr.text] = {};  // reported once
  return {};
}

Value Evaluation::field(const Expr& expr, Scope& scope, const ParameterContext& context) {
  const Value value = evaluate(*expr.operands[0], scope, context);
  if (value.kind == Kind::error) return {};
  auto& diagnostic = error(base::E0228, expr.text_span, describe(value, *build.graph), expr.text);
  if (value.kind == Kind::player)
    diagnostic.help(fmt::format("a player's conditional is called with its parents: `{}(...)`",
                                std::string(sources.text(expr.span))));
  return {};
}

/// How many numbers and other single values the value contains, at any depth.
static size_t leaves_of(const Value& value) {
  if (value.kind != Kind::list && value.kind != Kind::tuple) return 1;
  size_t leaves = 0;
  for (const Value& item : value.items) leaves += leaves_of(item);
  return leaves;
}

Value Evaluation::list(const Expr& expr, Scope& scope, const ParameterContext& context) {
  Value value;
  value.kind = expr.kind == ExprKind::list ? Kind::list : Kind::tuple;
  size_t leaves = 0;
  for (const auto& operand : expr.operands) {
    value.items.push_back(evaluate(*operand, scope, context));
    if (value.items.back().kind == Kind::error) return {};
    // Lists of lists can double with every line, so a short file could fill the memory.
    constexpr size_t most_leaves = 100'000;
    leaves += leaves_of(value.items.back());
    if (leaves <= most_leaves) continue;
    error(base::E0316, expr.span, most_leaves);
    return {};
  }
  return value;
}

std::optional<int64_t> Evaluation::position(const Value& value, int64_t length, const std::string& whole,
                                            base::Span at) {
  const auto given = integer(value, "an index", at);
  if (!given) return std::nullopt;
  const int64_t from_start = *given < 0 ? *given + length : *given;
  if (from_start >= 0 && from_start < length) return from_start;
  error(base::E0303, at, *given, whole);
  return std::nullopt;
}

std::optional<std::pair<int64_t, int64_t>> Evaluation::range_of(const syntax::Subscript& subscript,
                                                                int64_t length, Scope& scope,
                                                                const ParameterContext& context,
                                                                const std::string& whole, bool tensor) {
  int64_t bounds[2] = {0, length};
  const syntax::Expr* written[2] = {subscript.begin.get(), subscript.end.get()};
  for (int i = 0; i < 2; ++i) {
    if (!written[i]) continue;
    const auto given = integer(evaluate(*written[i], scope, context), "a slice's bound", written[i]->span);
    if (!given) return std::nullopt;
    bounds[i] = *given < 0 ? *given + length : *given;
    if (bounds[i] < 0 || bounds[i] > length) {
      error(base::E0303, written[i]->span, *given, whole);
      return std::nullopt;
    }
  }
  // A list may become empty, a tensor may not.
  if (bounds[0] > bounds[1] || (tensor && bounds[0] == bounds[1])) {
    error(base::E0308, subscript.span, std::string(sources.text(subscript.span)));
    return std::nullopt;
  }
  return std::make_pair(bounds[0], bounds[1]);
}

Value Evaluation::index_list(const Value& value, const Expr& expr, Scope& scope,
                             const ParameterContext& context) {
  const auto length = static_cast<int64_t>(value.items.size());
  const std::string whole = describe(value, *build.graph);
  if (expr.subscripts.size() != 1) {
    error(base::E0305, expr.span, "[,]", whole);
    return {};
  }
  const syntax::Subscript& subscript = expr.subscripts[0];
  if (subscript.slice) {
    const auto range = range_of(subscript, length, scope, context, whole, false);
    if (!range) return {};
    Value result = value;
    result.items.assign(value.items.begin() + range->first, value.items.begin() + range->second);
    return result;
  }
  const auto at = position(evaluate(*subscript.begin, scope, context), length, whole, subscript.span);
  return at ? value.items[static_cast<size_t>(*at)] : Value{};
}

Value Evaluation::index(const Value& value, const Expr& expr, Scope& scope, const ParameterContext& context) {
  if (value.kind == Kind::error) return {};
  if (value.kind == Kind::list || value.kind == Kind::tuple || value.kind == Kind::variables)
    return index_list(value, expr, scope, context);
  if (value.kind != Kind::tensor) {
    error(base::E0305, expr.span, "[]", describe(value, *build.graph));
    return {};
  }
  const Shape full = shape(value.node);
  const std::string whole = describe(value, *build.graph);
  if (expr.subscripts.size() > own_rank(full)) {
    error(base::E0307, expr.span, tensor_of(own_shape(full)), expr.subscripts.size() - 1);
    return {};
  }
  std::vector<int64_t> bounds;
  Shape kept;
  for (size_t axis = 0; axis < full.size(); ++axis) {
    std::pair<int64_t, int64_t> range = {0, full[axis]};
    bool dropped = false;
    if (axis < expr.subscripts.size()) {
      const syntax::Subscript& subscript = expr.subscripts[axis];
      if (subscript.slice) {
        const auto given = range_of(subscript, full[axis], scope, context, whole, true);
        if (!given) return {};
        range = *given;
      } else {
        const auto at =
            position(evaluate(*subscript.begin, scope, context), full[axis], whole, subscript.span);
        if (!at) return {};
        range = {*at, *at + 1};
        dropped = true;
      }
    }
    bounds.push_back(range.first);
    bounds.push_back(range.second);
    if (!dropped) kept.push_back(range.second - range.first);
  }
  return from_node(build.reshape(build.slice(value.node, bounds), kept), expr.span);
}

}  // namespace semantics
