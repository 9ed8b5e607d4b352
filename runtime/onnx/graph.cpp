#include "runtime/onnx/graph.h"

namespace onnx_export {

Graph read_graph(const nlohmann::json& text) {
  auto graph = schema::read<Graph>(text);
  const auto count = static_cast<int>(graph.values.size());
  for (int i = 0; i < count; ++i)
    for (const int input : graph[i].inputs)
      if (input < 0 || input >= i) throw std::out_of_range("an input of " + graph[i].op);
  for (const Output& output : graph.outputs)
    if (output.value < 0 || output.value >= count) throw std::out_of_range("output " + output.name);
  return graph;
}

}  // namespace onnx_export
