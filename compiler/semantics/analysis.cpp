#include "compiler/semantics/analysis.h"

#include <climits>
#include <cstdint>

#include "runtime/shared/nearest_float.h"

namespace semantics {
using base::Diagnostic;
using syntax::Expr;

bool Analysis::is_refused(const syntax::Name& name) {
  const auto declared = names.find(name.text);
  if (declared != names.end() && declared->second.span == name.span) return false;
  lost_reference = true;
  return true;
}

bool Analysis::count_statement(int64_t& statements, base::Span at) {
  if (statements > most_statements) return false;
  if (++statements <= most_statements) return true;
  report.add(base::E0311, at);
  return false;
}

Scope& Analysis::new_scope(Scope* outer) {
  scopes.emplace_back();
  scopes.back().outer = outer;
  return scopes.back();
}

bool Analysis::declare(const syntax::Name& name, const std::string& what) {
  const auto [entry, fresh] = names.insert({name.text, {name.span, what}});
  if (fresh) return true;
  report.add(base::E0201, name.span, name.text)
      .label("declared again, as " + what)
      .note(entry->second.span, "it is declared here, as " + entry->second.what);
  return false;
}

bool Analysis::failed_variable(const std::string& name) const {
  const auto declared = names.find(name);
  return declared != names.end() && declared->second.what == "a variable" && !variables.contains(name);
}

std::optional<VariableId> Analysis::resolve(const syntax::Reference& reference, Scope& scope) {
  const auto found = variables.find(reference.name.text);
  if (found == variables.end()) {
    lost_reference = true;
    if (failed_variable(reference.name.text)) return {};
    const auto other = names.find(reference.name.text);
    if (!lost["variable"].insert(reference.name.text).second) return {};
    if (other == names.end()) evaluator.top().names[reference.name.text] = {};
    Diagnostic& error = report.add(base::E0202, reference.name.span, reference.name.text);
    if (other != names.end()) {
      error.note(other->second.span, "it is declared here, as " + other->second.what);
    } else {
      suggest(error, reference.name.text, keys_of(variables));
    }
    return {};
  }
  const VariableGroup& group = found->second;
  const base::Span declared = names.at(reference.name.text).span;
  if (!reference.index) {
    if (!group.array) return group.ids[0];
    lost_reference = true;
    report.add(base::E0212, reference.span, reference.name.text, group.ids.size())
        .note(declared, "it is declared here")
        .help("name one of them: `" + reference.name.text + "[0]`");
    return {};
  }
  if (!group.array) {
    lost_reference = true;
    report.add(base::E0213, reference.index->span, reference.name.text).note(declared, "it is declared here");
    return {};
  }
  const auto index = integer(*reference.index, scope, "an index", 0);
  if (!index) {
    lost_reference = true;
    return {};
  }
  if (*index >= static_cast<int64_t>(group.ids.size())) {
    lost_reference = true;
    report.add(base::E0214, reference.span, reference.name.text, *index)
        .label("the last is `" + reference.name.text + "[" + std::to_string(group.ids.size() - 1) + "]`")
        .note(declared, "it is declared here");
    return {};
  }
  return group.ids[static_cast<size_t>(*index)];
}

std::optional<int64_t> Analysis::integer(const Expr& expr, Scope& scope, const std::string& what,
                                         int64_t least) {
  const Value value = evaluator.constant(expr, scope, what);
  if (value.kind == Value::Kind::error) return {};
  if (value.kind == Value::Kind::integer && value.integer >= least) return value.integer;
  const std::string wanted =
      least == INT64_MIN ? "an integer" : fmt::format("an integer of at least {}", least);
  auto& error = report.add(base::E0301, expr.span, what, wanted, text_of(value));
  if (value.kind == Value::Kind::real && expr.kind == syntax::ExprKind::binary && expr.text == "/")
    error.help(quotient_help);
  return {};
}

std::optional<double> Analysis::number(const Expr& expr, Scope& scope, const std::string& what) {
  const Value value = evaluator.constant(expr, scope, what);
  if (value.kind == Value::Kind::error) return {};
  if (!is_number(value)) {
    report.add(base::E0301, expr.span, what, "a number", kind_name(value));
    return {};
  }
  const double number = number_of(value);
  if (fits_float(number)) return number;
  report.add(base::E0301, expr.span, what, float_range, text_of(value));
  return {};
}

ParameterContext no_parameters() { return {}; }

std::string listed(const std::vector<std::string>& names, const char* last) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? std::string(" ") + last + " " : ", ";
    text += "`" + names[i] + "`";
  }
  return text;
}

std::string quoted(base::Span at, const base::SourceSet& sources) {
  const std::string_view text = sources.text(at);
  if (text.size() > 24 || text.find('\n') != std::string_view::npos) return "this";
  return fmt::format("`{}`", text);
}

bool is_number(const Value& value) {
  return value.kind == Value::Kind::integer || value.kind == Value::Kind::real;
}

double number_of(const Value& value) {
  return value.kind == Value::Kind::integer ? static_cast<double>(value.integer) : value.real;
}

std::string kind_name(const Value& value) {
  switch (value.kind) {
    case Value::Kind::error:
      return "wrong";
    case Value::Kind::integer:
      return "an integer";
    case Value::Kind::real:
      return "a real";
    case Value::Kind::boolean:
      return "a boolean";
    case Value::Kind::string:
      return "a string";
    case Value::Kind::list:
      return "a list";
    case Value::Kind::tuple:
      return "a tuple";
    case Value::Kind::tensor:
      return "a tensor";
    case Value::Kind::net:
      return "a net";
    case Value::Kind::builtin:
      return "a function";
    case Value::Kind::family:
      return "a family";
    case Value::Kind::player:
      return "a player";
    case Value::Kind::data:
      return "data";
    case Value::Kind::variables:
      return "an array of variables";
    case Value::Kind::none:
      return "`none`";
  }
  return "";
}

std::string text_of(const Value& value) {
  switch (value.kind) {
    case Value::Kind::integer:
      return std::to_string(value.integer);
    case Value::Kind::real:
      return real_text(value.real);
    case Value::Kind::boolean:
      return value.boolean ? "true" : "false";
    case Value::Kind::string:
      return nlohmann::json(value.text).dump();
    case Value::Kind::list: {
      std::string text = "[";
      for (size_t i = 0; i < value.items.size(); ++i) text += (i > 0 ? ", " : "") + text_of(value.items[i]);
      return text + "]";
    }
    default:
      return kind_name(value);
  }
}

std::optional<std::vector<Value>> loop_values(const Expr& range, Scope& scope, Analysis& analysis) {
  Value list = analysis.evaluator.evaluate(range, scope, no_parameters());
  if (list.kind == Value::Kind::error) return {};
  if (list.kind == Value::Kind::list || list.kind == Value::Kind::variables) return std::move(list.items);
  analysis.report.add(base::E0301, range.span, "what `for` runs over", "a list", kind_name(list));
  return {};
}

std::optional<bool> chosen(const syntax::If& choice, Scope& scope, Analysis& analysis) {
  const Value condition = analysis.evaluator.constant(*choice.condition, scope, "the condition of `if`");
  if (condition.kind == Value::Kind::error) return {};
  if (condition.kind == Value::Kind::boolean) return condition.boolean;
  analysis.report.add(base::E0301, choice.condition->span, "the condition of `if`", "a boolean",
                      kind_name(condition));
  return {};
}

}  // namespace semantics
