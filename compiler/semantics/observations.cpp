#include "compiler/semantics/observations.h"

#include "compiler/semantics/analysis.h"
#include "compiler/semantics/expressions/evaluation.h"

namespace semantics {
namespace {

/// A shape, or the value if it is known when compiling. Empty if the declaration already says it.
std::string observation(const Value& value, const Graph& graph) {
  switch (value.kind) {
    case Value::Kind::tensor: {
      const Shape& shape = graph[value.node].shape;
      return shape.empty() ? "a scalar" : to_string(shape);
    }
    case Value::Kind::tuple:
    case Value::Kind::variables: {
      std::string text;
      for (const Value& item : value.items) text += (text.empty() ? "" : ", ") + observation(item, graph);
      return (value.kind == Value::Kind::tuple ? "(" : "an array: ") + text +
             (value.kind == Value::Kind::tuple ? ")" : "");
    }
    case Value::Kind::integer:
    case Value::Kind::real:
    case Value::Kind::boolean:
    case Value::Kind::string:
    case Value::Kind::list:
      return text_of(value);
    default:
      return "";
  }
}

}  // namespace

void Evaluator::observe(base::Span at, const Value& value) {
  if (!observed || !observed->wanted(at)) return;
  std::string text = observation(value, *evaluation_->build.graph);
  constexpr size_t longest = 200;
  if (!text.empty() && text.size() <= longest) observed->add(at, std::move(text));
}

/// Records the shapes of the parameters at the place of the family's name.
void Evaluation::observe_family(const syntax::Expr& call, const FamilyTemplate& form) const {
  const base::Span at = call.kind == syntax::ExprKind::call ? call.operands[0]->span : call.span;
  if (!evaluator.observed || !evaluator.observed->wanted(at)) return;
  std::string text;
  for (const auto& parameter : form.parameters)
    text += (text.empty() ? "" : ", ") + parameter.name + " " +
            (parameter.shape.empty() ? "a scalar" : to_string(parameter.shape));
  if (!text.empty()) evaluator.observed->add(at, std::move(text));
}

}  // namespace semantics
