#include "compiler/lower/image/describe_graphs.h"

#include "compiler/tensor/program.h"
#include "runtime/schema/graph.h"
#include "runtime/schema/json_text.h"

namespace lower {
namespace {

schema::GraphValue of_value(const tensor::Program& program, const tensor::Value& value) {
  schema::GraphValue described;
  described.op = tensor::info(value.op).name;
  for (const tensor::Extent& extent : value.shape)
    described.shape.push_back(extent.batch >= 0 ? -1 : extent.size);
  for (const tensor::ValueId input : value.inputs) described.inputs.push_back(input.index);
  described.ints.assign(value.ints.begin(), value.ints.end());
  described.name = value.name;
  if (value.op == tensor::Op::constant) described.number = value.number;
  if (value.op == tensor::Op::parameter) {
    const tensor::ParameterPlace& place = program.parameters[static_cast<size_t>(value.index)];
    described.player = place.player;
    described.offset = place.offset;
  }
  if (tensor::info(value.op).group == semantics::OpGroup::random) described.site = value.site;
  return described;
}

schema::Graph of_graph(const tensor::Program& program) {
  schema::Graph graph;
  for (const tensor::Value& value : program.values) graph.values.push_back(of_value(program, value));
  for (const tensor::Output& output : program.outputs)
    graph.outputs.push_back({output.name, output.value.index});
  return graph;
}

schema::ConditionalGraphs of_conditional(const Programs::Graphs& graphs) {
  schema::ConditionalGraphs described;
  described.log_density = of_graph(graphs.log_density);
  described.sample = of_graph(graphs.sample);
  if (!graphs.parameters.outputs.empty()) described.parameters = of_graph(graphs.parameters);
  if (graphs.mean) described.mean = of_graph(*graphs.mean);
  return described;
}

}  // namespace

std::string describe_graphs(const std::vector<std::optional<Programs::Graphs>>& conditionals) {
  std::vector<schema::ConditionalGraphs> list;
  for (const auto& graphs : conditionals)
    list.push_back(graphs ? of_conditional(*graphs) : schema::ConditionalGraphs());
  return schema::to_text(schema::write(list));
}

}  // namespace lower
