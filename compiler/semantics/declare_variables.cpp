// `var x, y : binary[28, 28]`, `var z[3] : category(4)[8]`: the variables of the model, and their names.
#include <algorithm>

#include "compiler/semantics/analysis.h"
#include "compiler/semantics/graph/tensor_limit.h"

namespace semantics {
namespace {

struct DomainName {
  DomainKind kind;
  const char* name;
  bool classes;  // takes the number of classes as argument
};
const DomainName domains[] = {
    {DomainKind::binary, "binary", false},     {DomainKind::category, "category", true},
    {DomainKind::count, "count", false},       {DomainKind::real, "real", false},
    {DomainKind::positive, "positive", false}, {DomainKind::unit, "unit", false},
    {DomainKind::angle, "angle", false},       {DomainKind::simplex, "simplex", true},
};

constexpr int64_t longest_array = 4096;

/// `category(10)`, `category("north", "south")`, or category of a list of such words.
std::optional<Domain> category_of(const syntax::DomainExpr& expr, Analysis& analysis) {
  const auto refuse = [&](const std::string& why) -> std::optional<Domain> {
    analysis.report.add(base::E0204, expr.name.span, expr.name.text, why);
    return {};
  };
  Domain domain{DomainKind::category, 0, {}};
  std::vector<Value> values;
  for (const auto& argument : expr.arguments) {
    const Value value = analysis.evaluator.constant(*argument, analysis.evaluator.top(), "a class");
    if (value.kind == Value::Kind::error) return {};
    if (value.kind == Value::Kind::list && expr.arguments.size() == 1)
      values = value.items;
    else
      values.push_back(value);
  }
  const bool words = !values.empty() && std::ranges::all_of(values, [](const Value& value) {
    return value.kind == Value::Kind::string;
  });
  if (!words && expr.arguments.size() == 1) {
    const auto classes =
        analysis.integer(*expr.arguments[0], analysis.evaluator.top(), "the number of classes", 2);
    if (!classes) return {};
    domain.classes = *classes;
    return domain;
  }
  if (!words || values.size() < 2)
    return refuse("one argument, the number of classes, or two words or more, the classes");
  for (const Value& value : values) {
    if (value.text.empty()) return refuse("words that are not empty");
    if (std::ranges::find(domain.words, value.text) != domain.words.end())
      return refuse(fmt::format("each word once, not \"{}\" twice", value.text));
    domain.words.push_back(value.text);
  }
  domain.classes = static_cast<int64_t>(domain.words.size());
  return domain;
}

std::optional<Domain> domain_of(const syntax::DomainExpr& expr, Analysis& analysis) {
  for (const DomainName& entry : domains) {
    if (entry.name != expr.name.text) continue;
    Domain domain{entry.kind, 0, {}};
    if (entry.kind == DomainKind::category) return category_of(expr, analysis);
    if (expr.arguments.size() != (entry.classes ? 1 : 0)) {
      analysis.report.add(base::E0204, expr.name.span, entry.name,
                          entry.classes ? "one argument, the number of classes" : "no argument");
      return {};
    }
    if (!entry.classes) return domain;
    const auto classes =
        analysis.integer(*expr.arguments[0], analysis.evaluator.top(), "the number of classes", 2);
    if (!classes) return {};
    domain.classes = *classes;
    return domain;
  }
  suggest_among(analysis.report.add(base::E0203, expr.name.span, expr.name.text), expr.name.text,
                domain_names(), "the domains are");
  return {};
}

std::optional<Shape> shape_of(const syntax::DomainExpr& expr, const Domain& domain, Analysis& analysis) {
  Shape shape;
  bool good = true;
  int64_t elements = std::max<int64_t>(1, domain.classes);
  if (elements > most_elements) {
    analysis.report.add(base::E0218, expr.span, most_elements);
    return {};
  }
  for (const auto& extent : expr.shape) {
    const auto length = analysis.integer(*extent, analysis.evaluator.top(), "the length of an axis", 1);
    good = good && length;
    if (!good) continue;
    shape.push_back(*length);
    if (*length > most_elements / elements) {
      analysis.report.add(base::E0218, expr.span, most_elements);
      return {};
    }
    elements *= *length;
  }
  if (!good) return {};
  return shape;
}

}  // namespace

std::vector<std::string> domain_names() {
  std::vector<std::string> names;
  for (const DomainName& entry : domains) names.push_back(entry.name);
  return names;
}

void declare_variables(const syntax::VarDecl& declaration, Analysis& analysis) {
  const auto domain = domain_of(declaration.domain, analysis);
  const auto shape = domain ? shape_of(declaration.domain, *domain, analysis) : std::nullopt;
  Scope& top = analysis.evaluator.top();
  for (const auto& item : declaration.items) {
    // If another declaration has the name, this was reported and the other declaration counts.
    if (!(analysis.names.count(item.name.text) && analysis.names.at(item.name.text).span == item.name.span))
      continue;
    int64_t number = 1;  // 0 after an error
    if (item.count) number = analysis.integer(*item.count, top, "the number of variables", 1).value_or(0);
    if (number > longest_array) {
      analysis.report.add(base::E0301, item.count->span, "the number of variables",
                          fmt::format("at most {}", longest_array), std::to_string(number));
      number = 0;
    }
    Value value;
    value.span = item.name.span;
    if (number > 0 && shape) {
      VariableGroup group{item.count != nullptr, {}};
      for (int64_t i = 0; i < number; ++i) {
        const VariableId id{static_cast<int32_t>(analysis.model.variables.size())};
        const std::string name = group.array ? fmt::format("{}[{}]", item.name.text, i) : item.name.text;
        analysis.model.variables.push_back({name, *domain, *shape, item.name.span});
        group.ids.push_back(id);
        Value element;
        element.kind = Value::Kind::tensor;
        element.node = analysis.evaluator.variable_node(id);
        element.span = item.name.span;
        value.items.push_back(element);
      }
      if (group.array) {
        value.kind = Value::Kind::variables;
      } else {
        value = Value(value.items[0]);
      }
      analysis.variables[item.name.text] = group;
    }
    analysis.evaluator.observe(item.name.span, value);
    top.names[item.name.text] = std::move(value);
  }
}

void check_determined(Analysis& analysis) {
  // If a name was misspelt where a variable is given, the variable would be reported a second time here.
  if (analysis.lost_reference) return;
  for (size_t i = 0; i < analysis.model.variables.size(); ++i) {
    const Variable& variable = analysis.model.variables[i];
    if (analysis.determined.count({static_cast<int32_t>(i)})) continue;
    analysis.report.add(base::E0211, variable.span, variable.name)
        .help("give it in a source, or declare a player with `" + variable.name + " ~ ...`");
  }
}

}  // namespace semantics
