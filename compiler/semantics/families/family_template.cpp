// A family's declaration as nodes. Its body is evaluated with variables in place of its parameters and x.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "compiler/semantics/expressions/evaluation.h"
#include "compiler/semantics/families/complete_square.h"
#include "compiler/semantics/families/draw_inside.h"
#include "compiler/semantics/families/expectation.h"
#include "runtime/shared/counted.h"

namespace semantics {

using Kind = Value::Kind;

const std::vector<FamilyProperty>& family_properties() {
  // The name; whether it is required; whether it may depend on x, on parameters, on draws.
  static const std::vector<FamilyProperty> table = {
      {"statistic", true, true, false, false},     {"natural", true, false, true, false},
      {"log_partition", true, false, true, false}, {"sample", true, false, true, true},
      {"log_base", false, true, false, false},     {"expected", false, false, true, false},
      {"log_density", false, true, true, false}};
  return table;
}

bool Evaluation::check_dependence(const syntax::FamilyDecl& decl, const FamilyTemplate& t,
                                  const FamilyProperty& property, NodeId node, base::Span at) {
  const auto refuse = [&](const std::string& on) -> base::Diagnostic& {
    return error(base::E0412, at, property.name, decl.name.text, on);
  };
  if (!property.of_x && depends_on(t.graph, node, t.x)) {
    refuse(fmt::format("`{}`", decl.variable.text)).note(decl.variable.span, "the variable is declared here");
    return false;
  }
  for (size_t i = 0; i < t.parameters.size() && !property.of_parameters; ++i) {
    if (!depends_on(t.graph, node, t.parameters[i].node)) continue;
    refuse(fmt::format("the parameter `{}`", t.parameters[i].name))
        .help(fmt::format("what `{}` depends on is declared `fixed`", property.name));
    return false;
  }
  for (int32_t i = 0; i <= node.index && !property.drawn; ++i) {
    if (info(t.graph[NodeId{i}].op).group != OpGroup::random || !depends_on(t.graph, node, NodeId{i}))
      continue;
    refuse("draws").help("only `sample` draws");
    return false;
  }
  return true;
}

std::optional<int64_t> Evaluation::declared_extent(const syntax::FamilyDecl& decl) {
  for (const auto* exprs : {&decl.domain.arguments, &decl.domain.shape})
    for (const auto& expr : *exprs) {
      if (expr->kind == syntax::ExprKind::name && is_own_extent(decl, expr->text)) continue;
      const Value value = evaluator.constant(*expr, family_scope(decl), "the number of values");
      if (value.kind == Kind::integer) return value.integer;
    }
  return std::nullopt;
}

FamilyFrame Evaluation::frame_of(const syntax::FamilyDecl& decl, const Domain& domain,
                                 const Shape& shape) const {
  FamilyFrame result;
  result.variable_shape = Variable{"", domain, shape, {}}.tensor_shape();
  result.positions = shape;
  result.classes = domain.classes;
  if (domain.classes == 0 && !decl.domain.shape.empty() && !shape.empty()) {
    result.classes = shape[0];
    result.positions.erase(result.positions.begin());
  }
  return result;
}

Scope& Evaluation::family_scope(const syntax::FamilyDecl& decl) {
  return is_standard(decl) ? library_family_words : user_family_words;
}

bool Evaluation::is_own_extent(const syntax::FamilyDecl& decl, const std::string& name) {
  const Value* outside = family_scope(decl).find(name);
  return !outside || is_of_the_model(name, *outside);
}

Scope& Evaluation::body_scope(const syntax::FamilyDecl& decl, const FamilyFrame& inside,
                              const std::map<std::string, Value>& fixed) {
  kept_scopes.push_back({&family_scope(decl), {}});
  Scope& scope = kept_scopes.back();
  for (const auto* exprs : {&decl.domain.arguments, &decl.domain.shape})
    for (const auto& expr : *exprs)
      if (expr->kind == syntax::ExprKind::name && is_own_extent(decl, expr->text))
        scope.names[expr->text] = integer_value(inside.classes);
  for (const auto& [name, value] : fixed) scope.names[name] = value;
  return scope;
}

std::optional<Shape> Evaluation::parameter_shape(const syntax::DomainExpr* domain, const FamilyFrame& inside,
                                                 Scope& scope) {
  Shape result;
  if (domain)
    for (const auto* exprs : {&domain->arguments, &domain->shape})
      for (const auto& expr : *exprs) {
        const Value value = evaluator.constant(*expr, scope, "a parameter's shape");
        const auto extent = integer(value, "a parameter's shape", expr->span);
        if (!extent) return std::nullopt;
        result.push_back(*extent);
      }
  result.insert(result.end(), inside.positions.begin(), inside.positions.end());
  return result;
}

/// Code that derives properties walks through the nodes of a body many times, so their number is limited.
/// Families of the library have a few tens of operations.
constexpr size_t most_family_nodes = 1000;

FamilyTemplate Evaluation::make_template(const syntax::FamilyDecl& decl, const Domain& domain,
                                         const Shape& shape, const std::map<std::string, Value>& fixed) {
  FamilyTemplate t;
  FamilyFrame inside_frame = frame_of(decl, domain, shape);
  const Inside inside(*this, t.graph, inside_frame);
  t.positions = inside_frame.positions;
  Scope& scope = body_scope(decl, inside_frame, fixed);
  const ParameterContext nobody;

  for (const auto& declared : decl.parameters) {
    if (declared.fixed) continue;
    FamilyTemplate::Parameter parameter;
    parameter.name = declared.name.text;
    if (declared.domain) {
      parameter.domain = *kind_of_domain(declared.domain->name.text);
    }
    const auto parameter_extents =
        parameter_shape(declared.domain ? &*declared.domain : nullptr, inside_frame, scope);
    if (!parameter_extents) return t;
    parameter.shape = *parameter_extents;
    if (declared.fallback) {
      const Value value = evaluator.constant(*declared.fallback, scope, "a parameter's default");
      parameter.fallback = real(value, "a parameter's default", declared.fallback->span);
      if (!parameter.fallback) return t;
    }
    parameter.node = build.leaf(Op::variable, static_cast<int32_t>(t.parameters.size()), parameter.shape);
    scope.names[parameter.name] = from_node(parameter.node, declared.name.span);
    t.parameters.push_back(parameter);
  }
  t.x = build.leaf(Op::variable, static_cast<int32_t>(t.parameters.size()), inside_frame.variable_shape);
  Value x = from_node(t.x, decl.variable.span);
  if (domain.kind == DomainKind::category) {
    inside_frame.one_hot = t.x;
    inside_frame.index =
        build.reduce(Op::sum, build.multiply(build.iota(inside_frame.variable_shape, 0), t.x), {0});
    x.node = inside_frame.index;
  }
  scope.names[decl.variable.text] = x;

  std::map<std::string, Value> properties;
  std::map<std::string, base::Span> places;
  for (const syntax::Statement& statement : decl.body) {
    if (std::holds_alternative<syntax::From>(statement.kind)) continue;
    const auto* assign = std::get_if<syntax::Assign>(&statement.kind);
    if (!assign) continue;
    if (t.graph.nodes.size() > most_family_nodes) {
      error(base::E0413, statement.span, decl.name.text, most_family_nodes);
      return t;
    }
    if (assign->let) {
      bind(*assign, scope, nobody);
      continue;
    }
    const std::string& name = assign->targets[0].name.text;
    properties[name] = evaluate(*assign->value, scope, nobody);
    places[name] = assign->value->span;
    if (properties[name].kind == Kind::error) return t;
  }
  // Pairs the statistic with the natural parameter, component by component.
  const auto components = [](const Value& value) {
    return value.kind == Kind::tuple ? value.items : std::vector<Value>{value};
  };
  const auto statistics = components(properties["statistic"]), naturals = components(properties["natural"]);
  if (statistics.size() != naturals.size()) {
    error(base::E0405, places["natural"], decl.name.text)
        .label(counted(naturals.size(), "component"))
        .note(places["statistic"], fmt::format("the statistic has {}", statistics.size()));
    return t;
  }
  for (size_t i = 0; i < statistics.size(); ++i) {
    const NodeId statistic = tensor(statistics[i], places["statistic"]);
    const NodeId natural = tensor(naturals[i], places["natural"]);
    if (!statistic || !natural) return t;
    std::vector<NodeId> both = {statistic, natural};
    if (!align(both, {statistics[i], naturals[i]}, places["natural"])) return t;
    // A masked class has a logit of minus infinity. If the class is not observed, 0 times this logit would be
    // NaN.
    if (domain.kind == DomainKind::category)
      both[1] = build.pointwise(Op::maximum, {both[1], build.constant(std::numeric_limits<float>::lowest())});
    std::vector<int64_t> own_axes(own_rank(this->shape(both[0])));
    std::iota(own_axes.begin(), own_axes.end(), 0);
    const bool vector = !own_axes.empty();
    NodeId product = build.multiply(both[0], both[1]);
    if (vector) product = build.reduce(Op::sum, product, own_axes);
    if (this->shape(product) != t.positions && !this->shape(product).empty()) {
      error(base::E0302, places["natural"])
          .label(fmt::format("{} at positions of shape {}", to_string(this->shape(product)),
                             to_string(t.positions)));
      return t;
    }
    t.terms.push_back({statistic, natural, both[0], both[1], {}, {}, vector});
  }
  const auto at_positions = [&](const std::string& name, const Shape& full) -> NodeId {
    const NodeId node = tensor(properties[name], places[name]);
    if (!node) return {};
    if (this->shape(node) == full || this->shape(node).empty()) return build.broadcast(node, full);
    error(base::E0302, places[name])
        .label(
            fmt::format("`{}` needs {}; this gives {}", name, to_string(full), to_string(this->shape(node))));
    return {};
  };
  t.log_partition = at_positions("log_partition", t.positions);
  t.log_base =
      properties.contains("log_base") ? at_positions("log_base", t.positions) : build.filled(0, t.positions);
  const bool classes = domain.kind == DomainKind::category;
  t.sample = at_positions("sample", classes ? t.positions : inside_frame.variable_shape);
  if (!t.log_partition || !t.log_base || !t.sample) return t;
  t.declared_sample = t.sample;
  t.sample = draw_inside(build, t, domain, t.sample);
  if (classes) t.sample = build.one_hot(t.sample, domain.classes);
  t.expected = properties.contains("expected");
  if (t.expected) t.mean = at_positions("expected", inside_frame.variable_shape);
  if (t.expected && !t.mean) return t;
  if (properties.contains("log_density")) {
    t.declared = at_positions("log_density", t.positions);
    if (!t.declared) return t;
  }
  for (const FamilyProperty& property : family_properties()) {
    if (!properties.contains(property.name)) continue;
    for (const Value& value : components(properties[property.name]))
      if (value.kind == Kind::tensor &&
          !check_dependence(decl, t, property, value.node, places[property.name]))
        return t;
  }
  complete_squares(build, t);
  t.derived = arrange_density(build, t);
  t.density = t.declared ? with_derived_gradient(build, t) : t.derived;
  derive_square_moments(build, t);
  derive_moments(build, t);
  for (auto& term : t.terms) term.stretched_mean = expectation(build, t, term.statistic);
  if (!t.expected) t.mean = expectation(build, t, t.x);
  t.entropy = derive_entropy(build, t);
  t.whole = true;
  return t;
}

std::shared_ptr<const FamilyTemplate> Evaluation::template_of(const syntax::FamilyDecl& decl,
                                                              const Domain& domain, const Shape& shape,
                                                              const std::map<std::string, Value>& fixed) {
  std::string key = fmt::format("{} {} {} {}", static_cast<const void*>(&decl), static_cast<int>(domain.kind),
                                domain.classes, to_string(shape));
  for (const auto& [name, value] : fixed) key += ' ' + name + '=' + key_of(value);
  const auto found = templates_.find(key);
  if (found != templates_.end()) return found->second;
  return templates_.emplace(key, std::make_shared<FamilyTemplate>(make_template(decl, domain, shape, fixed)))
      .first->second;
}

}  // namespace semantics
