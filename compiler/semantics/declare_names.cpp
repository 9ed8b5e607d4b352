// The top level. Every name is entered before any expression is evaluated, so declarations may stand in any
// order. Then params, lets and variables are evaluated, each after the declarations that it names.
#include "compiler/semantics/analysis.h"
#include "compiler/semantics/data/data_expression.h"

namespace semantics {
namespace {
using namespace syntax;

void collect_names(const Expr& expr, std::set<std::string>& names);

void collect_names(const ExprPtr& expr, std::set<std::string>& names) {
  if (expr) collect_names(*expr, names);
}

void collect_names(const Expr& expr, std::set<std::string>& names) {
  if (expr.kind == ExprKind::name) names.insert(expr.text);
  for (const ExprPtr& operand : expr.operands) collect_names(operand, names);
  for (const Argument& argument : expr.arguments) collect_names(argument.value, names);
  for (const Subscript& subscript : expr.subscripts) {
    collect_names(subscript.begin, names);
    collect_names(subscript.end, names);
  }
}

std::set<std::string> names_in(const Declaration& declaration) {
  std::set<std::string> names;
  if (const auto* param = std::get_if<ParamDecl>(&declaration.kind)) collect_names(param->value, names);
  if (const auto* let = std::get_if<LetDecl>(&declaration.kind)) collect_names(let->assign.value, names);
  if (const auto* var = std::get_if<VarDecl>(&declaration.kind)) {
    for (const auto& item : var->items) collect_names(item.count, names);
    for (const ExprPtr& argument : var->domain.arguments) collect_names(argument, names);
    for (const ExprPtr& extent : var->domain.shape) collect_names(extent, names);
  }
  return names;
}

/// The parameters of a net must have different names.
void check_parameters(const NetDecl& net, base::Report& report) {
  std::map<std::string, base::Span> names;
  for (const auto& parameter : net.parameters) {
    const auto [first, fresh] = names.insert({parameter.name.text, parameter.name.span});
    if (!fresh)
      report.add(base::E0201, parameter.name.span, parameter.name.text)
          .label("declared again, as a parameter")
          .note(first->second, "it is declared here");
  }
}

struct Declarer {
  Analysis& analysis;
  // By name: the param, let or variable declaration that binds it.
  std::map<std::string, const Declaration*> evaluated_by;
  std::set<const Declaration*> done, open;
  std::set<const Declaration*> refused;  // declarations of a name that is taken

  // Enters a name, unless it is taken. The library's families are in scope from the start as declarations;
  // functions of the language cannot be declared again.
  bool enter(const Name& name, const std::string& what) {
    const Value* there = analysis.evaluator.top().find(name.text);
    // `none` has a meaning only in certain places; elsewhere it can be a name.
    if (there && there->kind != Value::Kind::none && !analysis.names.count(name.text)) {
      if (there->kind == Value::Kind::family) {
        auto& error =
            analysis.report.add(base::E0201, name.span, name.text).label("declared again, as " + what);
        if (there->span.file.index >= 0) error.note(there->span, "it is a family of the standard library");
        return false;
      }
      analysis.report.add(base::E0217, name.span, name.text).label("choose another name");
      bind(name, {});  // so its uses, as the function or as what was declared here, are no further errors
      return false;
    }
    if (analysis.declare(name, what)) return true;
    if (analysis.names.at(name.text).what == "a source") bind(name, {});  // a source is no value
    return false;
  }

  void bind(const Name& name, Value value) {
    value.span = name.span;
    analysis.evaluator.top().names[name.text] = std::move(value);
  }

  void enter(const Declaration& declaration, bool program) {
    if (!program && !importable(declaration)) return;
    bool fresh = true;
    if (const auto* param = std::get_if<ParamDecl>(&declaration.kind)) {
      fresh = enter(param->name, "a param");
      if (fresh) evaluated_by[param->name.text] = &declaration;
    } else if (const auto* let = std::get_if<LetDecl>(&declaration.kind)) {
      for (const Reference& target : let->assign.targets) fresh = enter(target.name, "a let") && fresh;
      for (const Reference& target : let->assign.targets)
        if (fresh) {
          evaluated_by[target.name.text] = &declaration;
        } else if (const auto own = analysis.names.find(target.name.text);
                   own != analysis.names.end() && own->second.span == target.name.span) {
          bind(target.name, {});
        }
    } else if (const auto* var = std::get_if<VarDecl>(&declaration.kind)) {
      for (const auto& item : var->items)
        if (enter(item.name, "a variable")) {
          evaluated_by[item.name.text] = &declaration;
        } else {
          analysis.lost["variable"].insert(item.name.text);
        }
    } else if (const auto* family = std::get_if<FamilyDecl>(&declaration.kind)) {
      if (enter(family->name, "a family")) {
        Value value;
        if (declare_family(*family, analysis.report)) value.kind = Value::Kind::family;
        value.family = family;
        bind(family->name, value);
      }
    } else if (const auto* net = std::get_if<NetDecl>(&declaration.kind)) {
      check_parameters(*net, analysis.report);
      if (enter(net->name, "a net")) {
        Value value;
        value.kind = Value::Kind::net;
        value.net = net;
        value.net_scope = &analysis.evaluator.top();
        analysis.evaluator.nets.push_back({value.net, value.net_scope});
        bind(net->name, value);
      }
    } else if (const auto* player = std::get_if<PlayerDecl>(&declaration.kind)) {
      if (!enter(player->name, "a player")) analysis.lost["player"].insert(player->name.text);
    } else if (const auto* source = std::get_if<SourceDecl>(&declaration.kind)) {
      // A source is not a value, so its name may be that of a reader.
      if (!analysis.declare(source->name, "a source")) analysis.lost["source"].insert(source->name.text);
    }
    if (!fresh) refused.insert(&declaration);
  }

  bool importable(const Declaration& declaration) {
    const Name* name = nullptr;
    std::string what;
    if (const auto* var = std::get_if<VarDecl>(&declaration.kind))
      name = &var->items[0].name, what = "a variable";
    if (const auto* source = std::get_if<SourceDecl>(&declaration.kind))
      name = &source->name, what = "a source";
    if (const auto* player = std::get_if<PlayerDecl>(&declaration.kind))
      name = &player->name, what = "a player";
    if (const auto* learn = std::get_if<LearnDecl>(&declaration.kind))
      name = &learn->method, what = "a learn block";
    if (const auto* let = std::get_if<LetDecl>(&declaration.kind))
      name = &let->assign.targets[0].name, what = "a let";
    if (const auto* publish = std::get_if<PublishDecl>(&declaration.kind))
      name = &publish->variables[0].name, what = "a `publish`";
    if (!name) return true;
    analysis.report.add(base::E0210, name->span).label("this is " + what);
    return false;
  }

  /// A declaration that waits until the names in it are evaluated.
  struct Open {
    const Declaration* declaration;
    std::set<std::string> waiting;
    bool cyclic = false;
  };

  /// Evaluates a declaration after all declarations that it names. A chain of declarations can be as long as
  /// the file, so recursion could overflow the stack: `chain` replaces it.
  void evaluate(const Declaration& root) {
    std::vector<Open> chain;
    const auto begin = [&](const Declaration& declaration) {
      if (done.count(&declaration) || refused.count(&declaration)) return;
      open.insert(&declaration);
      chain.push_back({&declaration, names_in(declaration)});
    };
    begin(root);
    while (!chain.empty()) {
      Open& last = chain.back();
      if (last.waiting.empty()) {
        const Open ready = std::move(last);
        chain.pop_back();
        open.erase(ready.declaration);
        done.insert(ready.declaration);
        evaluate_alone(*ready.declaration, ready.cyclic);
        continue;
      }
      const std::string name = *last.waiting.begin();
      last.waiting.erase(last.waiting.begin());
      const auto found = evaluated_by.find(name);
      if (found == evaluated_by.end() || done.count(found->second)) continue;
      if (open.count(found->second)) {
        last.cyclic = true;
        last.waiting.clear();
        analysis.report.add(base::E0215, last.declaration->span, name);
      } else {
        begin(*found->second);
      }
    }
  }

  void evaluate_alone(const Declaration& declaration, bool cyclic) {
    if (const auto* param = std::get_if<ParamDecl>(&declaration.kind)) {
      if (cyclic) {
        bind(param->name, {});
      } else {
        declare_param(*param, analysis);
      }
    } else if (const auto* let = std::get_if<LetDecl>(&declaration.kind)) {
      if (cyclic) {
        for (const Reference& target : let->assign.targets) bind(target.name, {});
      } else {
        bind_data(let->assign, analysis.evaluator.top(), analysis);
      }
    } else if (const auto* var = std::get_if<VarDecl>(&declaration.kind)) {
      declare_variables(*var, analysis);
    }
  }
};

}  // namespace

void declare_names(const Files& files, Analysis& analysis) {
  Declarer declarer{analysis, {}, {}, {}, {}};
  for (const Tree* tree : files)
    for (const Declaration& declaration : tree->declarations)
      declarer.enter(declaration, tree == files.back());
  for (const Tree* tree : files)
    for (const Declaration& declaration : tree->declarations)
      if (tree == files.back() || std::holds_alternative<ParamDecl>(declaration.kind))
        declarer.evaluate(declaration);
}

}  // namespace semantics
