#include "runtime/onnx/graph.h"

namespace onnx_export {

Graph read_graph(const nlohmann::json& text) {
  Graph graph;
  for (const auto& item : text.at("values")) {
    Value value;
    value.op = item.at("op");
    value.inputs = item.value("inputs", std::vector<int>{});
    value.shape = item.at("shape").get<Shape>();
    value.ints = item.value("ints", std::vector<int64_t>{});
    value.name = item.value("name", "");
    value.number = item.value("number", 0.0);
    value.player = item.value("player", -1);
    value.offset = item.value("offset", int64_t{0});
    value.site = item.value("site", 0u);
    for (const int input : value.inputs)
      if (input < 0 || input >= static_cast<int>(graph.values.size()))
        throw std::out_of_range("an input of " + value.op);
    graph.values.push_back(std::move(value));
  }
  for (const auto& item : text.at("outputs")) {
    graph.outputs.push_back({item.at("name"), item.at("value")});
    if (graph.outputs.back().value < 0 || graph.outputs.back().value >= static_cast<int>(graph.values.size()))
      throw std::out_of_range("output " + graph.outputs.back().name);
  }
  return graph;
}

}  // namespace onnx_export
