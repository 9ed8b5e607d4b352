// Expands `target | parents ~ Family(arguments)` into the model's graph: the family's template, with the
// arguments and the target's variable in place of its variables.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "compiler/semantics/analysis.h"
#include "compiler/semantics/expressions/evaluation.h"
#include "compiler/semantics/families/family_call.h"
#include "runtime/shared/counted.h"
#include "runtime/shared/nearest_float.h"

namespace semantics {

using Kind = Value::Kind;
using syntax::Expr;
using syntax::ExprKind;
using syntax::FamilyDecl;

std::optional<DomainKind> kind_of_domain(const std::string& name) {
  for (const DomainKind kind :
       {DomainKind::binary, DomainKind::category, DomainKind::count, DomainKind::real, DomainKind::positive,
        DomainKind::unit, DomainKind::angle, DomainKind::simplex})
    if (name == name_of(kind)) return kind;
  return std::nullopt;
}

namespace {

/// The names of the family's parameters that a `from` assigns.
std::vector<std::string> replaced_by(const syntax::From& from) {
  std::vector<std::string> names;
  for (const syntax::Statement& statement : from.body)
    if (const auto* assign = std::get_if<syntax::Assign>(&statement.kind); assign && !assign->let)
      for (const auto& target : assign->targets) names.push_back(target.name.text);
  return names;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The `from` that has a parameter with the name of an argument.
const syntax::From* chosen_from(const FamilyDecl& decl, const std::vector<syntax::Argument>& written) {
  for (const syntax::Statement& statement : decl.body) {
    const auto* from = std::get_if<syntax::From>(&statement.kind);
    if (!from) continue;
    for (const auto& argument : written)
      for (const auto& parameter : from->parameters)
        if (argument.name && argument.name->text == parameter.name.text) return from;
  }
  return nullptr;
}

/// Whether the domain that the family declares fits the variable.
bool takes(const FamilyDecl& decl, const Variable& variable, std::optional<int64_t> extent) {
  if (*kind_of_domain(decl.domain.name.text) != variable.domain.kind) return false;
  if (variable.domain.classes > 0) return !extent || *extent == variable.domain.classes;
  if (decl.domain.shape.empty()) return true;
  return !variable.shape.empty() && (!extent || *extent == variable.shape[0]);
}

}  // namespace

double starting_value(const FamilyTemplate::Parameter& parameter) {
  if (parameter.fallback) return *parameter.fallback;
  switch (parameter.domain) {
    case DomainKind::positive:
      return 1;
    case DomainKind::unit:
      return 0.5;
    case DomainKind::simplex:
      return 1.0 / static_cast<double>(parameter.shape[0]);
    default:
      return 0;
  }
}

namespace {

std::string source_text(const base::SourceSet& sources, const syntax::DomainExpr& domain) {
  return fmt::format("`{}`", sources.text(domain.span));
}

}  // namespace

static std::optional<FamilyCall> read_call(Evaluation& e, const Expr& expr, Scope& scope,
                                           const ParameterContext& context) {
  static const std::vector<syntax::Argument> no_arguments;
  const Expr& callee = expr.kind == ExprKind::call ? *expr.operands[0] : expr;
  const auto& written = expr.kind == ExprKind::call ? expr.arguments : no_arguments;
  FamilyCall call;
  const Value* family = callee.kind == ExprKind::name ? scope.find(callee.text) : nullptr;
  if (callee.kind == ExprKind::name && !family) {
    auto& diagnostic = e.error(base::E0220, callee.span, callee.text);
    std::vector<std::string> families;
    for (const std::string& name : scope.all_names())
      if (scope.find(name)->kind == Kind::family) families.push_back(name);
    suggest(diagnostic, callee.text, families);
    if (diagnostic.text_help.empty()) diagnostic.label("a family is needed here");
    return std::nullopt;
  }
  if (!family || family->kind != Kind::family) {
    if (!family || family->kind != Kind::error)
      e.error(base::E0401, callee.span, fmt::format("`{}`", e.sources.text(callee.span)))
          .label(family ? describe(*family, *e.build.graph) : "a family's name is needed here");
    return std::nullopt;
  }
  call.decl = family->family;
  call.from = chosen_from(*call.decl, written);
  const auto replaced = call.from ? replaced_by(*call.from) : std::vector<std::string>{};
  Signature signature{call.decl->name.text, {}, {}};
  for (const auto& parameter : call.decl->parameters)
    if (!contains(replaced, parameter.name.text))
      signature.parameters.push_back({parameter.name.text, parameter.fallback != nullptr, false});
  const size_t positional = signature.parameters.size();
  if (call.from)
    for (const auto& parameter : call.from->parameters) signature.parameters.push_back({parameter.name.text});

  for (const syntax::Statement& statement : call.decl->body)
    if (const auto* from = std::get_if<syntax::From>(&statement.kind); from && from != call.from)
      for (const auto& parameter : from->parameters) signature.instead.push_back(parameter.name.text);

  std::vector<Value> arguments;
  bool whole = true;
  size_t next = 0;
  for (const auto& argument : written) {
    arguments.push_back(e.evaluate(*argument.value, scope, context));
    whole = whole && arguments.back().kind != Kind::error;
    if (argument.name) {
      call.places[argument.name->text] = argument.value->span;
      if (contains(replaced, argument.name->text)) {
        e.error(base::E0224, argument.span, argument.name->text)
            .label(fmt::format("`{}` gives it already", call.from->parameters[0].name.text));
        return std::nullopt;
      }
    } else if (next < positional) {
      call.places[signature.parameters[next++].name] = argument.value->span;
    } else {
      const auto unnamed =
          std::count_if(written.begin(), written.end(), [](const auto& a) { return !a.name; });
      auto& error = e.error(
          base::E0222, argument.span, signature.name,
          fmt::format("{}{}", counted(positional, "argument"), call.from ? " without a name here" : ""),
          unnamed);
      if (call.from)
        error.label(fmt::format("`{}` gives `{}` already", call.from->parameters[0].name.text,
                                fmt::join(replaced, "`, `")));
      return std::nullopt;
    }
  }
  if (!whole) return std::nullopt;
  const auto matched = e.match(signature, written, arguments, expr.span);
  if (!matched) return std::nullopt;
  for (size_t i = 0; i < matched->size(); ++i) call.values[signature.parameters[i].name] = (*matched)[i];
  return call;
}

/// Whether the value is a number of the declared domain, or a list of such numbers.
static bool is_fixed_value(const Value& value, const FamilyDecl::Parameter& parameter) {
  if (value.kind == Kind::list)
    return std::all_of(value.items.begin(), value.items.end(),
                       [&](const Value& item) { return is_fixed_value(item, parameter); });
  if (!holds_number(value)) return value.kind == Kind::boolean && !parameter.domain;
  if (!fits_float(number_in(value))) return false;
  return !parameter.domain || is_argument(*kind_of_domain(parameter.domain->name.text), number_in(value));
}

/// The values of the parameters that must be known when compiling.
static std::optional<std::map<std::string, Value>> fixed_of(Evaluation& e, const FamilyCall& call) {
  std::map<std::string, Value> fixed;
  for (const auto& parameter : call.decl->parameters) {
    if (!parameter.fixed) continue;
    const std::string& name = parameter.name.text;
    Value value = call.values.at(name);
    if (value.kind == Kind::none)
      value = e.evaluator.constant(*parameter.fallback, e.family_scope(*call.decl), "a parameter's default");
    if (value.kind == Kind::tensor) {
      e.error(base::E0304, call.places.at(name), fmt::format("`{}` of `{}`", name, call.decl->name.text))
          .note(parameter.span, "it is declared `fixed`");
      return std::nullopt;
    }
    if (value.kind == Kind::error) return std::nullopt;
    if (!is_fixed_value(value, parameter)) {
      const auto place = call.places.find(name);
      const std::string wanted =
          parameter.domain ? "`" + parameter.domain->name.text + "`" : "a number or a list of numbers";
      e.error(base::E0301, place != call.places.end() ? place->second : parameter.span,
              fmt::format("`{}` of `{}`", name, call.decl->name.text), wanted, text_of(value))
          .note(parameter.span, "it is declared here");
      return std::nullopt;
    }
    fixed[name] = value;
  }
  return fixed;
}

void Evaluation::check_call(const Expr& expr, Scope& scope, const ParameterContext& context) {
  read_call(*this, expr, scope, context);
}

bool Evaluation::expand_family(const Expr& expr, Conditional& conditional, Scope& scope,
                               const ParameterContext& context) {
  auto call = read_call(*this, expr, scope, context);
  if (!call) return false;
  const FamilyDecl& decl = *call->decl;
  const Variable variable = model[conditional.target];
  conditional.family = decl.name.text;
  if (!takes(decl, variable, declared_extent(decl))) {
    std::string own = describe(variable.domain);
    if (!decl.domain.shape.empty() && variable.domain.kind == DomainKind::real && !variable.shape.empty())
      own.insert(own.size() - 1, to_string(variable.shape));
    auto& diagnostic =
        error(base::E0402, expr.kind == ExprKind::call ? expr.operands[0]->span : expr.span, decl.name.text,
              source_text(sources, decl.domain), fmt::format("`{}`", variable.name), own)
            .note(variable.span, fmt::format("{} is declared here", variable.name));
    if (!is_standard(decl)) diagnostic.note(decl.domain.span, "the family's domain is declared here");
    return false;
  }
  const auto fixed = fixed_of(*this, *call);
  if (!fixed) return false;
  call->fixed = *fixed;
  if (!check_domains(*this, *call, variable, context.owner.index < 0)) return false;
  const size_t before = report.diagnostics().size();
  conditional.form = template_of(decl, variable.domain, variable.shape, *fixed);
  if (!conditional.form->whole && is_standard(decl)) {
    // The bodies of the library's families are right, so the fault is in the call: a list, where the body
    // needs a number.
    for (const auto& [name, value] : *fixed) {
      if (value.kind != Kind::list) continue;
      report.forget_after(before);
      error(base::E0301, call->places.at(name), fmt::format("`{}` of `{}`", name, decl.name.text), "a number",
            text_of(value));
      break;
    }
  }
  const FamilyTemplate& t = *conditional.form;
  if (!t.whole) return false;
  if (!is_standard(decl)) {
    std::string key = fmt::format("{}", static_cast<const void*>(&decl));
    for (const auto& [name, value] : *fixed) key += ' ' + key_of(value);
    uses_.emplace(key, Use{&decl, *fixed, expr.span});
  }

  const base::Span outer = std::exchange(build.span, expr.span);
  FamilyFrame frame_here = frame_of(decl, variable.domain, variable.shape);
  const auto fitted = [&](const std::string& name, const Shape& shape) {
    const std::string whose = (shape == variable.tensor_shape() ? " like " : " for ") + variable.name;
    return fit(call->values.at(name), shape, name, whose, variable.name, call->places.at(name),
               variable.span);
  };
  std::map<std::string, NodeId> nodes;
  bool whole = true;
  for (const auto& parameter : t.parameters) {
    const auto given = call->values.find(parameter.name);
    if (given == call->values.end()) continue;  // a `from` assigns it
    const NodeId node = given->second.kind == Kind::none ? build.filled(*parameter.fallback, parameter.shape)
                                                         : fitted(parameter.name, parameter.shape);
    whole = whole && node;
    nodes[parameter.name] = node;
  }
  if (whole && call->from) {
    Scope& body = body_scope(decl, frame_here, *fixed);
    for (const auto& [name, node] : nodes) body.names[name] = from_node(node, expr.span);
    for (const auto& parameter : call->from->parameters) {
      const auto shape = parameter_shape(&parameter.domain, frame_here, body);
      const NodeId node = shape ? fitted(parameter.name.text, *shape) : NodeId{};
      whole = whole && node;
      body.names[parameter.name.text] = from_node(node, parameter.name.span);
    }
    if (whole) {
      const Inside inside(*this, model.graph, frame_here);
      for (const syntax::Statement& statement : call->from->body)
        if (const auto* assign = std::get_if<syntax::Assign>(&statement.kind))
          bind(*assign, body, ParameterContext{});
    }
    for (const auto& parameter : t.parameters) {
      if (!whole || nodes.contains(parameter.name)) continue;
      const NodeId node =
          fit(body.names[parameter.name], parameter.shape, parameter.name, "", "", expr.span, base::Span{});
      whole = whole && node;
      nodes[parameter.name] = node;
    }
  }
  if (whole) {
    std::unordered_map<int32_t, NodeId> placed, started;
    placed[t.x.index] = evaluator.variable_node(conditional.target);
    conditional.discrete = variable.domain.kind == DomainKind::binary ||
                           variable.domain.kind == DomainKind::category ||
                           variable.domain.kind == DomainKind::count;
    for (const auto& parameter : t.parameters) {
      conditional.arguments.push_back(nodes.at(parameter.name));
      placed[parameter.node.index] = nodes.at(parameter.name);
      started[parameter.node.index] = build.filled(starting_value(parameter), parameter.shape);
      if (depends_on(t.graph, t.sample, parameter.node) &&
          !differentiable_in(t.graph, t.sample, parameter.node))
        conditional.discrete = true;
    }
    whole = check_density(*this, *call, variable, t, conditional.arguments, expr.span);
    conditional.log_density = build.sum_all(build.copy(t.graph, t.density, placed));
    conditional.sample = build.copy(t.graph, t.sample, placed);
    if (t.mean) conditional.mean = build.copy(t.graph, t.mean, placed);
    conditional.initial = build.copy(t.graph, t.sample, started);
    for (const ParameterId id : parameters_of(model.graph, conditional.log_density))
      if (model[id].owner == context.owner) conditional.parameters.push_back(id);
  }
  build.span = outer;
  if (whole) observe_family(expr, t);
  return whole;
}

}  // namespace semantics
