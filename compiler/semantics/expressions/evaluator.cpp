#include "compiler/semantics/expressions/evaluator.h"

#include <fmt/format.h>

#include <algorithm>
#include <numbers>
#include <set>

#include "compiler/semantics/expressions/evaluation.h"
#include "compiler/semantics/stdlib_text.h"
#include "compiler/syntax/parse.h"

namespace semantics {

using Kind = Value::Kind;

Value* Scope::find(const std::string& name) {
  for (Scope* scope = this; scope; scope = scope->outer)
    if (const auto found = scope->names.find(name); found != scope->names.end()) return &found->second;
  return nullptr;
}

std::vector<std::string> Scope::all_names() const {
  std::set<std::string> all;
  for (const Scope* scope = this; scope; scope = scope->outer)
    for (const auto& entry : scope->names) all.insert(entry.first);
  return {all.begin(), all.end()};
}

Evaluation::Evaluation(Evaluator& evaluator, Scope& top, Model& model, base::SourceSet& sources,
                       base::Report& report)
    : evaluator(evaluator),
      top(top),
      model(model),
      sources(sources),
      report(report),
      build{&model.graph, {}} {
  const auto enter = [](Scope& scope, const std::vector<Builtin>& table) {
    for (const Builtin& builtin : table) {
      Value value;
      value.kind = Kind::builtin;
      value.text = builtin.name;
      scope.names[builtin.name] = value;
    }
  };
  enter(builtins, pointwise_builtins());
  enter(builtins, tensor_builtins());
  enter(builtins, layer_builtins());
  builtins.names["pi"] = real_value(std::numbers::pi);
  Value none;
  none.kind = Kind::none;
  builtins.names["none"] = none;
  enter(library_family_words, family_builtins());
  enter(user_family_words, family_builtins());
  library.outer = &builtins;
  top.outer = &library;
  library_family_words.outer = &builtins;
  user_family_words.outer = &top;

  standard_file = sources.add("families.vae", std::string(stdlib_text("families").value_or("")), true);
  families = syntax::parse(standard_file, report);
  for (const auto& declaration : families.declarations)
    if (const auto* family = std::get_if<syntax::FamilyDecl>(&declaration.kind)) {
      Value value;
      value.kind = Kind::family;
      value.family = family;
      value.span = family->name.span;
      library.names[family->name.text] = value;
    }
}

void Evaluation::check_families() {
  for (const auto& [key, use] : uses_) check_family(*use.decl, use.fixed, use.span);
}

Evaluator::Evaluator(Model& model, base::SourceSet& sources, base::Report& report)
    : evaluation_(std::make_shared<Evaluation>(*this, top_, model, sources, report)) {}

Value Evaluator::evaluate(const syntax::Expr& expr, Scope& scope, const ParameterContext& context) {
  return evaluation_->evaluate(expr, scope, context);
}

Value Evaluator::constant(const syntax::Expr& expr, Scope& scope, const std::string& what) {
  Value value = evaluation_->evaluate(expr, scope, ParameterContext{});
  const auto known = [](const auto& self, const Value& v) -> bool {
    if (v.kind == Kind::list || v.kind == Kind::tuple)
      return std::all_of(v.items.begin(), v.items.end(), [&](const Value& item) { return self(self, item); });
    return holds_number(v) || v.kind == Kind::boolean || v.kind == Kind::string || v.kind == Kind::none;
  };
  if (value.kind == Kind::error || known(known, value)) return value;
  auto& diagnostic = evaluation_->error(base::E0304, expr.span, what);
  diagnostic.label("this is " + describe(value, *evaluation_->build.graph));
  return {};
}

void Evaluator::bind(const syntax::Assign& assign, Scope& scope, const ParameterContext& context) {
  evaluation_->bind(assign, scope, context);
}

bool Evaluator::expand_family(const syntax::Expr& family_call, Conditional& conditional, Scope& scope,
                              const ParameterContext& context) {
  return evaluation_->expand_family(family_call, conditional, scope, context);
}

void Evaluator::check_call(const syntax::Expr& family_call, Scope& scope, const ParameterContext& context) {
  evaluation_->check_call(family_call, scope, context);
}

void Evaluator::check_families() { evaluation_->check_families(); }

void Evaluator::check_standard_families() {
  for (const auto& declaration : evaluation_->families.declarations) {
    const auto* family = std::get_if<syntax::FamilyDecl>(&declaration.kind);
    if (!family) continue;
    // Fixed parameters without a default are counts or sizes.
    std::map<std::string, Value> fixed;
    for (const auto& parameter : family->parameters)
      if (parameter.fixed)
        fixed[parameter.name.text] = parameter.fallback
                                         ? constant(*parameter.fallback, evaluation_->builtins, "a default")
                                         : integer_value(5);
    evaluation_->check_family(*family, fixed, family->name.span, true);
  }
}

NodeId Evaluator::call(const std::string& function, const std::vector<NodeId>& inputs, base::Span at) {
  std::vector<Value> arguments;
  for (const NodeId input : inputs) arguments.push_back(evaluation_->from_node(input, at));
  const Value result =
      find_builtin(function)->run(*evaluation_, {function, arguments, at, ParameterContext{}});
  return evaluation_->tensor(result, at);
}

NodeId Evaluator::constant_node(double value) { return evaluation_->build.constant(value); }

NodeId Evaluator::variable_node(VariableId id) {
  return evaluation_->build.leaf(Op::variable, id.index, evaluation_->model[id].tensor_shape());
}

NodeId Evaluator::fit(const Value& value, const Shape& shape, const std::string& what, base::Span at,
                      base::Span declared_at) {
  return evaluation_->fit(value, shape, what, "", what, at, declared_at);
}

}  // namespace semantics
