#include "compiler/semantics/graph/dependence.h"

#include <algorithm>

namespace semantics {

bool is_constant(const Graph& graph, NodeId root) {
  std::vector<bool> seen(static_cast<size_t>(root.index) + 1);
  std::vector<NodeId> stack = {root};
  while (!stack.empty()) {
    const NodeId id = stack.back();
    stack.pop_back();
    if (seen[static_cast<size_t>(id.index)]) continue;
    seen[static_cast<size_t>(id.index)] = true;
    const Node& node = graph[id];
    if (info(node.op).group == OpGroup::random || node.op == Op::variable || node.op == Op::parameter ||
        node.op == Op::column)
      return false;
    stack.insert(stack.end(), node.inputs.begin(), node.inputs.end());
  }
  return true;
}

bool reads_averages(const Graph& graph) { return std::ranges::any_of(graph.nodes, is_average); }

}  // namespace semantics
