// Nets that nothing calls are never evaluated; only the names in them are checked. A name in the body is
// known if it is a parameter of the net, bound anywhere in the net, or known outside.
#include <fmt/format.h>

#include "compiler/semantics/analysis.h"

namespace semantics {
namespace {
using namespace syntax;

struct NameChecker {
  Analysis& analysis;
  Scope& scope;
  std::set<std::string> bound = {};  // names that the net binds

  void check(const NetDecl& net) {
    for (const auto& parameter : net.parameters) bound.insert(parameter.name.text);
    bind(net.body);
    for (const auto& parameter : net.parameters) visit(parameter.fallback);
    visit(net.body);
  }

  void bind(const Block& block) {
    for (const Statement& statement : block) {
      if (const auto* assign = std::get_if<Assign>(&statement.kind)) {
        for (const Reference& target : assign->targets) bound.insert(target.name.text);
      } else if (const auto* loop = std::get_if<For>(&statement.kind)) {
        bound.insert(loop->variable.text);
        bind(loop->body);
      } else if (const auto* choice = std::get_if<If>(&statement.kind)) {
        bind(choice->then_body);
        bind(choice->else_body);
      }
    }
  }

  void visit(const Block& block) {
    for (const Statement& statement : block) {
      if (const auto* assign = std::get_if<Assign>(&statement.kind)) {
        visit(assign->value);
      } else if (const auto* result = std::get_if<Return>(&statement.kind)) {
        visit(result->value);
      } else if (const auto* loop = std::get_if<For>(&statement.kind)) {
        visit(loop->range);
        visit(loop->body);
      } else if (const auto* choice = std::get_if<If>(&statement.kind)) {
        visit(choice->condition);
        visit(choice->then_body);
        visit(choice->else_body);
      }
    }
  }

  void visit(const ExprPtr& expr) {
    if (!expr) return;
    if (expr->kind == ExprKind::name) look_up(*expr);
    for (const ExprPtr& operand : expr->operands) visit(operand);
    for (const Argument& argument : expr->arguments) visit(argument.value);
    for (const Subscript& subscript : expr->subscripts) {
      visit(subscript.begin);
      visit(subscript.end);
    }
  }

  void look_up(const Expr& name) {
    if (bound.count(name.text) || scope.find(name.text) || analysis.names.count(name.text)) return;
    std::vector<std::string> near = scope.all_names();
    near.insert(near.end(), bound.begin(), bound.end());
    suggest(analysis.report.add(base::E0220, name.span, name.text), name.text, near);
  }
};

}  // namespace

void check_uncalled_nets(Analysis& analysis) {
  for (const Evaluator::DeclaredNet& declared : analysis.evaluator.nets)
    if (!analysis.evaluator.called.count(declared.net))
      NameChecker{analysis, *declared.scope}.check(*declared.net);
}

}  // namespace semantics
