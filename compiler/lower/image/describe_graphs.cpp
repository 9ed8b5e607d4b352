#include "compiler/lower/image/describe_graphs.h"

#include <nlohmann/json.hpp>

#include "compiler/tensor/program.h"
#include "runtime/schema/json_text.h"

namespace lower {
namespace {

using nlohmann::json;

json of_shape(const tensor::Shape& shape) {
  json lengths = json::array();
  for (const tensor::Extent& extent : shape) lengths.push_back(extent.batch >= 0 ? -1 : extent.size);
  return lengths;
}

json of_value(const tensor::Program& program, const tensor::Value& value) {
  json entry = {{"op", tensor::info(value.op).name}, {"shape", of_shape(value.shape)}};
  for (const tensor::ValueId input : value.inputs) entry["inputs"].push_back(input.index);
  if (!value.ints.empty()) entry["ints"] = value.ints;
  if (!value.name.empty()) entry["name"] = value.name;
  if (value.op == tensor::Op::constant) entry["number"] = value.number;
  if (value.op == tensor::Op::parameter) {
    const tensor::ParameterPlace& place = program.parameters[static_cast<size_t>(value.index)];
    entry["player"] = place.player;
    entry["offset"] = place.offset;
  }
  if (tensor::info(value.op).group == semantics::OpGroup::random) entry["site"] = value.site;
  return entry;
}

json of_graph(const tensor::Program& program) {
  json values = json::array(), outputs = json::array();
  for (const tensor::Value& value : program.values) values.push_back(of_value(program, value));
  for (const tensor::Output& output : program.outputs)
    outputs.push_back({{"name", output.name}, {"value", output.value.index}});
  return {{"values", values}, {"outputs", outputs}};
}

}  // namespace

std::string describe_graphs(const std::vector<std::optional<Programs::Graphs>>& conditionals) {
  json list = json::array();
  for (const auto& graphs : conditionals) {
    json& entry = list.emplace_back(json::object());
    if (!graphs) continue;
    entry = {{"log_density", of_graph(graphs->log_density)}, {"sample", of_graph(graphs->sample)}};
    if (!graphs->parameters.outputs.empty()) entry["parameters"] = of_graph(graphs->parameters);
    if (graphs->mean) entry["mean"] = of_graph(*graphs->mean);
  }
  return schema::to_text(std::move(list));
}

}  // namespace lower
