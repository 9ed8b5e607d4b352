// Calls, and the statements of the nets that they run. Loops and choices are unrolled when they are reached.
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "compiler/semantics/analysis.h"
#include "compiler/semantics/expressions/evaluation.h"
#include "runtime/shared/counted.h"

namespace semantics {

using Kind = Value::Kind;
using syntax::Expr;
using syntax::ExprKind;

namespace {
constexpr size_t deepest_call = 200;
}  // namespace

Signature signature_of(const Builtin& builtin) {
  Signature signature{builtin.name, {}};
  std::istringstream words(builtin.parameters);
  for (std::string word; words >> word;) {
    const bool optional = word.back() == '?', variadic = word.back() == '*';
    if (optional || variadic) word.pop_back();
    signature.parameters.push_back({word, optional, variadic});
  }
  return signature;
}

const Builtin* find_builtin(const std::string& name) {
  for (const auto* table : {&pointwise_builtins(), &tensor_builtins(), &layer_builtins(), &family_builtins()})
    for (const Builtin& builtin : *table)
      if (name == builtin.name) return &builtin;
  return nullptr;
}

std::optional<std::vector<Value>> Evaluation::match(const Signature& signature,
                                                    const std::vector<syntax::Argument>& written,
                                                    const std::vector<Value>& arguments, base::Span at) {
  Value left_out;
  left_out.kind = Kind::none;
  std::vector<Value> result(signature.parameters.size(), left_out);
  std::vector<bool> given(signature.parameters.size());
  std::vector<Value> rest;
  size_t next = 0;
  const auto take = [&](size_t i, const Value& value, const syntax::Argument& argument) {
    if (given[i]) {
      error(base::E0224, argument.span, signature.parameters[i].name);
      return false;
    }
    given[i] = true;
    result[i] = value;
    result[i].written = argument.value->span;
    return true;
  };
  for (size_t i = 0; i < written.size(); ++i) {
    if (!written[i].name) {
      if (next < signature.parameters.size() && signature.parameters[next].variadic) {
        rest.push_back(arguments[i]);
        rest.back().written = written[i].value->span;
        continue;
      }
      if (next >= signature.parameters.size()) {
        const size_t most = signature.parameters.size();
        const auto positional =
            std::count_if(written.begin(), written.end(), [](const auto& a) { return !a.name; });
        error(base::E0222, written[i].span, signature.name, counted(most, "argument"), positional);
        return std::nullopt;
      }
      if (!take(next++, arguments[i], written[i])) return std::nullopt;
      continue;
    }
    const std::string& name = written[i].name->text;
    const auto found = std::find_if(signature.parameters.begin(), signature.parameters.end(),
                                    [&](const auto& p) { return p.name == name && !p.variadic; });
    if (found == signature.parameters.end()) {
      auto& diagnostic = error(base::E0221, written[i].name->span, signature.name, name);
      std::vector<std::string> names;
      for (const auto& parameter : signature.parameters) names.push_back(parameter.name);
      names.insert(names.end(), signature.instead.begin(), signature.instead.end());
      suggest_among(diagnostic, name, names, "it takes");
      return std::nullopt;
    }
    if (!take(static_cast<size_t>(found - signature.parameters.begin()), arguments[i], written[i]))
      return std::nullopt;
  }
  for (size_t i = 0; i < signature.parameters.size(); ++i) {
    const auto& parameter = signature.parameters[i];
    if (given[i] || parameter.optional || (parameter.variadic && !rest.empty())) continue;
    error(base::E0223, at, signature.name, parameter.name);
    return std::nullopt;
  }
  std::vector<Value> ordered;
  for (size_t i = 0; i < result.size(); ++i)
    if (!signature.parameters[i].variadic) ordered.push_back(result[i]);
  ordered.insert(ordered.end(), rest.begin(), rest.end());
  return ordered;
}

/// Is this `average(p)`, and has nothing else in scope the name `average`?
static bool calls_average(const Expr& expr, Scope& scope) {
  return expr.kind == ExprKind::call && expr.operands[0]->kind == ExprKind::name &&
         expr.operands[0]->text == "average" && !scope.find("average") && expr.arguments.size() == 1 &&
         !expr.arguments[0].name;
}

std::optional<Value> Evaluation::call_player(const Expr& expr, Scope& scope,
                                             const ParameterContext& context) {
  const Expr* callee = expr.operands[0].get();
  const Expr* element = nullptr;
  if (callee->kind == ExprKind::index) {
    element = callee;
    callee = callee->operands[0].get();
  }
  if (callee->kind != ExprKind::field) return std::nullopt;
  const Expr* owner = callee->operands[0].get();
  const bool averaged = calls_average(*owner, scope);
  if (averaged) owner = owner->arguments[0].value.get();
  const Value* player = owner->kind == ExprKind::name ? scope.find(owner->text) : nullptr;
  if (averaged && player && player->kind == Kind::error) return Value{};
  if (averaged && (!player || player->kind != Kind::player)) {
    error(base::E0301, owner->span, "the argument of `average`", "a player",
          "`" + std::string(sources.text(owner->span)) + "`");
    return Value{};
  }
  if (!player || player->kind != Kind::player) return std::nullopt;
  if (frame) return evaluator.evaluate(*owner, scope, context);  // an error: a family knows no players
  std::string name = callee->text;
  int64_t index = 0;
  if (element) {
    if (element->subscripts.size() != 1 || element->subscripts[0].slice) {
      error(base::E0305, element->span, "[]", "an array of variables with other than one index");
      return Value{};
    }
    const auto at = integer(evaluate(*element->subscripts[0].begin, scope, context), "an index",
                            element->subscripts[0].span);
    if (!at) return Value{};
    index = *at;
    name += fmt::format("[{}]", index);
  }
  std::vector<Value> arguments;
  for (const auto& argument : expr.arguments) {
    if (argument.name) {
      error(base::E0221, argument.name->span, owner->text + "." + name, argument.name->text)
          .help("the parents stand in the order of the conditional, without names");
      return Value{};
    }
    arguments.push_back(evaluate(*argument.value, scope, context));
    if (arguments.back().kind == Kind::error) return Value{};
  }
  const auto variable = std::find_if(model.variables.begin(), model.variables.end(),
                                     [&](const Variable& v) { return v.name == name; });
  if (variable == model.variables.end()) {
    // If the declaration of this variable has an error, it was reported there.
    const Value* declared = top.find(callee->text);
    if (declared && declared->kind == Kind::error) return Value{};
    if (declared && declared->kind == Kind::variables) {
      const size_t length = declared->items.size();
      auto& diagnostic = element ? error(base::E0214, element->span, callee->text, index)
                                       .label(fmt::format("the last is `{}[{}]`", callee->text, length - 1))
                                 : error(base::E0212, callee->text_span, callee->text, length)
                                       .help(fmt::format("name one of them: `{}[0]`", callee->text));
      diagnostic.note(declared->span, "it is declared here");
      return Value{};
    }
    if (declared && declared->kind == Kind::tensor && element) {
      error(base::E0213, element->span, callee->text).note(declared->span, "it is declared here");
      return Value{};
    }
    std::vector<std::string> names;
    for (const Variable& v : model.variables) names.push_back(v.name);
    suggest(error(base::E0220, callee->text_span, name), name, names);
    return Value{};
  }
  if (!evaluator.refer) {
    error(base::E0225, expr.span, "a player's conditional");
    return Value{};
  }
  return evaluator.refer(PlayerId{static_cast<int32_t>(player->integer)},
                         VariableId{static_cast<int32_t>(variable - model.variables.begin())}, arguments,
                         averaged, expr.span);
}

Value Evaluation::call(const Expr& expr, Scope& scope, const ParameterContext& context) {
  if (auto value = call_player(expr, scope, context)) return *value;
  const Value function = evaluate(*expr.operands[0], scope, context);
  std::vector<Value> arguments;
  bool whole = function.kind != Kind::error;
  for (const auto& argument : expr.arguments) {
    arguments.push_back(evaluate(*argument.value, scope, context));
    whole = whole && arguments.back().kind != Kind::error;
  }
  if (!whole) return {};
  return call_value(function, expr.arguments, arguments, expr.span, context);
}

Value Evaluation::call_value(const Value& function, const std::vector<syntax::Argument>& written,
                             const std::vector<Value>& arguments, base::Span at,
                             const ParameterContext& context) {
  if (function.kind == Kind::builtin) {
    const Builtin& builtin = *find_builtin(function.text);
    auto matched = match(signature_of(builtin), written, arguments, at);
    if (!matched) return {};
    return builtin.run(*this, {builtin.name, std::move(*matched), at, context});
  }
  if (function.kind == Kind::net) {
    Signature signature{function.net->name.text, {}};
    for (const auto& parameter : function.net->parameters)
      signature.parameters.push_back({parameter.name.text, parameter.fallback != nullptr, false});
    const auto matched = match(signature, written, arguments, at);
    if (!matched) return {};
    return call_net(function, *matched, at, context);
  }
  auto& diagnostic = error(base::E0225, at, describe(function, *build.graph));
  if (function.kind == Kind::family) diagnostic.help("a family stands after `~`");
  return {};
}

Value Evaluation::call_net(const Value& net, const std::vector<Value>& matched, base::Span at,
                           const ParameterContext& context) {
  if (open_calls_.size() >= deepest_call) {
    unwinding_ = true;
    report.add(base::E0227, at, net.net->name.text)
        .label(fmt::format("after {} calls within calls", deepest_call));
    return {};
  }
  evaluator.called.insert(net.net);
  kept_scopes.push_back({net.net_scope, {}});
  Scope& scope = kept_scopes.back();
  // A net declared inside a player has one set of parameters. So each call numbers its layers from the start.
  std::map<std::string, int> counts;
  ParameterContext inner = context;
  if (!net.net_instance.empty()) {
    inner.path = net.net_instance;
    inner.layer_counts = &counts;
    inner.shared = true;
  }
  open_calls_.push_back({net.net->name.text, at});
  bool whole = true;
  for (size_t i = 0; i < matched.size(); ++i) {
    const auto& parameter = net.net->parameters[i];
    Value value = matched[i];
    if (value.kind == Kind::none && parameter.fallback) value = evaluate(*parameter.fallback, scope, inner);
    whole = whole && value.kind != Kind::error;
    scope.names[parameter.name.text] = value;
    evaluator.observe(parameter.name.span, value);
  }
  Value result;
  if (whole) {
    if (const auto returned = run(net.net->body, scope, inner)) {
      result = *returned;
    } else if (!unwinding_) {
      error(base::E0226, net.net->name.span, net.net->name.text).help("end it with `return`");
    }
  }
  open_calls_.pop_back();
  if (open_calls_.empty()) unwinding_ = false;
  return result;
}

std::optional<std::vector<Value>> Evaluation::loop_items(const Expr& range, Scope& scope,
                                                         const ParameterContext& context) {
  const Value value = evaluate(range, scope, context);
  if (value.kind == Kind::list || value.kind == Kind::variables) return value.items;
  if (value.kind == Kind::tensor) {
    error(base::E0304, range.span, "what `for` runs over");
  } else if (value.kind != Kind::error) {
    error(base::E0301, range.span, "what `for` runs over", "a list", describe(value, *build.graph));
  }
  return std::nullopt;
}

std::optional<Value> Evaluation::run(const syntax::Block& block, Scope& scope,
                                     const ParameterContext& context) {
  const auto refuse = [&](const std::string& what, base::Span at) {
    error(base::E0229, at, what);
    return Value{};
  };
  for (const syntax::Statement& statement : block) {
    if (unwinding_) return Value{};
    if (++statements_ > most_statements) {
      unwinding_ = !open_calls_.empty();
      statements_ = 0;
      report.add(base::E0311, statement.span);
      return Value{};
    }
    if (const auto* assign = std::get_if<syntax::Assign>(&statement.kind)) {
      bind(*assign, scope, context);
    } else if (const auto* result = std::get_if<syntax::Return>(&statement.kind)) {
      return evaluate(*result->value, scope, context);
    } else if (const auto* loop = std::get_if<syntax::For>(&statement.kind)) {
      const auto items = loop_items(*loop->range, scope, context);
      if (!items) return Value{};
      for (const Value& item : *items) {
        scope.names[loop->variable.text] = item;
        evaluator.observe(loop->variable.span, item);
        if (auto returned = run(loop->body, scope, context)) return returned;
      }
    } else if (const auto* choice = std::get_if<syntax::If>(&statement.kind)) {
      const Value condition = evaluate(*choice->condition, scope, context);
      if (condition.kind == Kind::error) return Value{};
      if (condition.kind != Kind::boolean) {
        if (condition.kind == Kind::tensor)
          error(base::E0304, choice->condition->span, "the condition of `if`")
              .help("`where(condition, a, b)` chooses by the values of a tensor");
        else
          error(base::E0301, choice->condition->span, "the condition of `if`", "a boolean",
                describe(condition, *build.graph));
        return Value{};
      }
      if (auto returned = run(condition.boolean ? choice->then_body : choice->else_body, scope, context))
        return returned;
    } else if (const auto* net = std::get_if<std::unique_ptr<syntax::NetDecl>>(&statement.kind)) {
      Value value;
      value.kind = Kind::net;
      value.net = net->get();
      value.net_scope = &scope;
      value.span = (*net)->name.span;
      scope.names[(*net)->name.text] = value;
    } else if (std::holds_alternative<syntax::ConditionalDecl>(statement.kind)) {
      return refuse("a conditional", statement.span);
    } else if (std::holds_alternative<syntax::Complete>(statement.kind)) {
      return refuse("`complete`", statement.span);
    } else {
      return refuse("`from`", statement.span);
    }
  }
  return std::nullopt;
}

void Evaluation::bind(const syntax::Assign& assign, Scope& scope, const ParameterContext& context) {
  const Value value = evaluate(*assign.value, scope, context);
  for (const auto& target : assign.targets)
    if (target.index) {
      error(base::E0229, target.span, "an index on the left of `=`");
      return;
    }
  if (!assign.tuple) {
    scope.names[assign.targets[0].name.text] = value;
    evaluator.observe(assign.targets[0].name.span, value);
    return;
  }
  const bool several = value.kind == Kind::tuple || value.kind == Kind::list || value.kind == Kind::variables;
  const size_t values = several ? value.items.size() : 1;
  const bool fits = several && values == assign.targets.size();
  if (!fits && value.kind != Kind::error)
    error(base::E0310, base::join(assign.targets.front().span, assign.targets.back().span),
          assign.targets.size(), values)
        .note(assign.value->span, fmt::format("this is {}", describe(value, *build.graph)));
  for (size_t i = 0; i < assign.targets.size(); ++i) {
    const Value& item = scope.names[assign.targets[i].name.text] = fits ? value.items[i] : Value{};
    evaluator.observe(assign.targets[i].name.span, item);
  }
}

}  // namespace semantics
