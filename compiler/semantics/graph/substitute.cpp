#include "compiler/semantics/graph/substitute.h"

#include <utility>

namespace semantics {
namespace {

struct Copier {
  Graph& graph;
  std::function<NodeId(const Node&)> replacement;  // for a leaf: its replacement, or none
  std::map<int32_t, NodeId> copies;

  // Deep nets make deep graphs, so there is no recursion. Nodes are in dependency order, so one pass upwards
  // is enough.
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
      if (const NodeId replaced = node.inputs.empty() ? replacement(node) : NodeId{}) {
        copies[id.index] = replaced;
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

std::vector<NodeId> copied(Graph& graph, const std::vector<NodeId>& roots,
                           std::function<NodeId(const Node&)> replacement) {
  Copier copier{graph, std::move(replacement), {}};
  copier.copy(roots);
  std::vector<NodeId> result;
  for (const NodeId root : roots) result.push_back(copier.copies.at(root.index));
  return result;
}

}  // namespace

std::vector<NodeId> substitute(Graph& graph, const std::vector<NodeId>& roots,
                               const std::map<VariableId, NodeId>& replacements) {
  return copied(graph, roots, [&](const Node& leaf) {
    const auto found = leaf.op == Op::variable ? replacements.find({leaf.index}) : replacements.end();
    return found == replacements.end() ? NodeId{} : found->second;
  });
}

std::vector<NodeId> substitute_averages(Graph& graph, const std::vector<NodeId>& roots,
                                        const std::function<bool(ParameterId)>& averaged) {
  return copied(graph, roots, [&](const Node& leaf) {
    if (leaf.op != Op::parameter || !averaged({leaf.index})) return NodeId{};
    Node average = leaf;
    average.ints = {1};
    return graph.add(std::move(average));
  });
}

}  // namespace semantics
