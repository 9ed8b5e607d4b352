#include "compiler/semantics/graph/graph.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <set>

#include "compiler/semantics/graph/dependence.h"

namespace semantics {

namespace {

constexpr std::array op_table{
#define OPERATION(name, inputs, group) OpInfo{#name, inputs, OpGroup::group},
#include "compiler/semantics/graph/operations.def"
#undef OPERATION
};

uint64_t content_hash(const Node& node) {
  uint64_t hash = 1469598103934665603u;
  const auto mix = [&](uint64_t value) { hash = (hash ^ value) * 1099511628211u + (hash >> 29); };
  mix(static_cast<uint64_t>(node.op));
  for (const NodeId input : node.inputs) mix(static_cast<uint64_t>(input.index) + 1);
  for (const int64_t extent : node.shape) mix(static_cast<uint64_t>(extent) + 3);
  for (const int64_t value : node.ints) mix(static_cast<uint64_t>(value) + 7);
  mix(std::bit_cast<uint64_t>(node.number));
  mix(static_cast<uint64_t>(node.index) + 11);
  return hash;
}

bool same_content(const Node& a, const Node& b) {
  return a.op == b.op && a.inputs == b.inputs && a.shape == b.shape && a.ints == b.ints &&
         std::bit_cast<uint64_t>(a.number) == std::bit_cast<uint64_t>(b.number) && a.index == b.index;
}

/// The `index` of all leaves with operation `op` below `root`.
std::set<int32_t> leaves(const Graph& graph, NodeId root, Op op) {
  std::set<int32_t> found;
  if (!root) return found;
  std::vector<bool> seen(static_cast<size_t>(root.index) + 1);
  std::vector<NodeId> stack = {root};
  while (!stack.empty()) {
    const NodeId id = stack.back();
    stack.pop_back();
    if (seen[static_cast<size_t>(id.index)]) continue;
    seen[static_cast<size_t>(id.index)] = true;
    const Node& node = graph[id];
    if (node.op == op && !is_average(node)) found.insert(node.index);
    stack.insert(stack.end(), node.inputs.begin(), node.inputs.end());
  }
  return found;
}

}  // namespace

const OpInfo& info(Op op) { return op_table[static_cast<size_t>(op)]; }

std::optional<Op> find_op(const std::string& name) {
  for (size_t i = 0; i < std::size(op_table); ++i)
    if (name == op_table[i].name) return static_cast<Op>(i);
  return {};
}

int64_t count(const Shape& shape) {
  int64_t product = 1;
  for (const int64_t extent : shape)
    if (__builtin_mul_overflow(product, extent, &product)) return std::numeric_limits<int64_t>::max();
  return product;
}

std::string to_string(const Shape& shape) {
  return shape.empty() ? "a scalar" : fmt::format("[{}]", fmt::join(shape, ", "));
}

NodeId Graph::add(Node node) {
  const bool shared = info(node.op).group != OpGroup::random;
  const uint64_t hash = content_hash(node);
  if (shared) {
    const auto [first, last] = by_content_.equal_range(hash);
    for (auto it = first; it != last; ++it)
      if (same_content(nodes[static_cast<size_t>(it->second)], node)) return {it->second};
  }
  const NodeId id{static_cast<int32_t>(nodes.size())};
  nodes.push_back(std::move(node));
  if (shared) by_content_.emplace(hash, id.index);
  return id;
}

std::vector<VariableId> variables_of(const Graph& graph, NodeId root) {
  std::vector<VariableId> result;
  for (const int32_t index : leaves(graph, root, Op::variable)) result.push_back({index});
  return result;
}

std::vector<ParameterId> parameters_of(const Graph& graph, NodeId root) {
  std::vector<ParameterId> result;
  for (const int32_t index : leaves(graph, root, Op::parameter)) result.push_back({index});
  return result;
}

}  // namespace semantics
