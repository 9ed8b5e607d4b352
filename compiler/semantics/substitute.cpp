#include "compiler/semantics/substitute.h"

namespace semantics {
namespace {

struct Copier {
  Graph& graph;
  const std::map<VariableId, NodeId>& replacements;
  std::map<int32_t, NodeId> copies;

  // Deep nets make deep graphs: no recursion. Nodes are in dependency order, so one sweep upwards suffices.
  void copy(const std::vector<NodeId>& roots) {
    std::vector<bool> reached(graph.nodes.size());
    for (const NodeId root : roots) reached[static_cast<size_t>(root.index)] = true;
    for (size_t i = reached.size(); i-- > 0;)
      if (reached[i])
        for (const NodeId input : graph.nodes[i].inputs) reached[static_cast<size_t>(input.index)] = true;
    for (size_t i = 0; i < reached.size(); ++i) {
      if (!reached[i]) continue;
      const NodeId id{static_cast<int32_t>(i)};
      Node node = graph[id];
      const auto replaced = node.op == Op::variable ? replacements.find({node.index}) : replacements.end();
      if (replaced != replacements.end()) {
        copies[id.index] = replaced->second;
        continue;
      }
      bool changed = false;
      for (NodeId& input : node.inputs) {
        const NodeId copied = copies.at(input.index);
        changed = changed || !(copied == input);
        input = copied;
      }
      copies[id.index] = changed ? graph.add(std::move(node)) : id;
    }
  }
};

}  // namespace

std::vector<NodeId> substitute(Graph& graph, const std::vector<NodeId>& roots,
                               const std::map<VariableId, NodeId>& replacements) {
  Copier copier{graph, replacements, {}};
  copier.copy(roots);
  std::vector<NodeId> result;
  for (const NodeId root : roots) result.push_back(copier.copies.at(root.index));
  return result;
}

}  // namespace semantics
