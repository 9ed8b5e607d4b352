// Data as nodes of the graph: a column leaf where the data hold no noise, else the noise on top of the
// leaves.
#include "compiler/semantics/build.h"
#include "compiler/semantics/data_expression.h"

namespace semantics {
namespace {
using nlohmann::json;

/// Image readers give pictures of the variable's own size where the file names none.
void fill_sizes(json& data, const Shape& shape) {
  if (!data.is_structured()) return;
  for (auto& part : data) fill_sizes(part, shape);
  if (!data.is_object() || !data.contains("op") || data.at("op") != "reader" || data.at("name") != "images")
    return;
  if (data.at("args").size() > 1 || data.at("named").contains("size") || shape.size() < 2) return;
  data["named"]["size"] = {shape[shape.size() - 2], shape[shape.size() - 1]};
}

struct NodeMaker {
  VariableId variable;
  Draws& draws;
  Analysis& analysis;
  Build build;
  Shape shape;

  NodeId node(const json& data) {
    if (data.at("op") == "number") return build.filled(data.at("value").get<double>(), shape);
    if (!has_noise(data)) return column(data);
    std::vector<NodeId> inputs;
    for (const json& argument : data.at("args")) inputs.push_back(node(argument));
    const std::string op = data.at("op");
    if (op == "flip") {
      const NodeId uniform = draw(data.at("noise"), Op::uniform);
      const NodeId other = build.subtract(build.filled(1, shape), inputs[0]);
      return build.pointwise(Op::where, {build.pointwise(Op::less, {uniform, inputs[1]}), other, inputs[0]});
    }
    if (op == "jitter")
      return build.add(inputs[0], build.multiply(inputs[1], draw(data.at("noise"), Op::normal)));
    if (const auto direct = find_op(op)) return build.pointwise(*direct, inputs);
    return analysis.evaluator.call(op, inputs, build.span);
  }

  NodeId draw(int64_t noise, Op op) {
    NodeId& node = draws[{noise, shape}];
    if (!node) node = build.random(op, {}, shape);
    return node;
  }

  NodeId column(json data) {
    fill_sizes(data, analysis.model[variable].shape);
    std::vector<Column>& columns = analysis.model.columns;
    for (size_t i = 0; i < columns.size(); ++i)
      if (columns[i].variable == variable && columns[i].expression == data)
        return build.leaf(Op::column, static_cast<int32_t>(i), shape);
    columns.push_back({std::move(data), variable, build.span});
    return build.leaf(Op::column, static_cast<int32_t>(columns.size()) - 1, shape);
  }
};

}  // namespace

bool has_noise(const json& data) {
  if (!data.is_structured()) return false;
  if (data.is_object() && data.contains("noise")) return true;
  for (const auto& part : data)
    if (has_noise(part)) return true;
  return false;
}

NodeId node_of_data(const Value& data, VariableId variable, Draws& draws, Analysis& analysis) {
  const Variable& of = analysis.model[variable];
  if (has_noise(data.data) &&
      (of.domain.kind == DomainKind::category || of.domain.kind == DomainKind::simplex)) {
    analysis.report.add(base::E0613, data.span, of.name, name_of(of.domain.kind))
        .note(of.span, fmt::format("`{}` is declared here", of.name));
    return {};
  }
  NodeMaker maker{variable, draws, analysis, {&analysis.model.graph, data.span}, of.tensor_shape()};
  return maker.node(data.data);
}

}  // namespace semantics
