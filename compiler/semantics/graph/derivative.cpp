// Reverse accumulation on graph nodes. The compiler uses it to derive properties of a family, such as the
// mean of a statistic, which is d log_partition / d natural parameter.
#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "compiler/semantics/graph/build.h"

namespace semantics {

namespace {

/// For each node up to `root`: whether it depends on `leaf` by a path without a stop.
std::vector<bool> dependents(const Graph& graph, NodeId root, NodeId leaf) {
  std::vector<bool> depends(static_cast<size_t>(root.index) + 1);
  for (int32_t i = 0; i <= root.index; ++i) {
    const Node& node = graph[NodeId{i}];
    if (i == leaf.index) depends[static_cast<size_t>(i)] = true;
    if (node.op == Op::stop) continue;
    for (const NodeId input : node.inputs)
      if (depends[static_cast<size_t>(input.index)]) depends[static_cast<size_t>(i)] = true;
  }
  return depends;
}

bool has_derivative(Op op) {
  switch (op) {
    case Op::floor:
    case Op::logical_not:
    case Op::modulo:
    case Op::less:
    case Op::less_equal:
    case Op::greater:
    case Op::greater_equal:
    case Op::equal:
    case Op::not_equal:
    case Op::logical_and:
    case Op::logical_or:
    case Op::max:
    case Op::min:
      return false;
    default:
      return info(op).group != OpGroup::random;
  }
}

/// The adjoints that a node with adjoint `g` passes to its inputs, in order. Empty if the node counts as a
/// constant.
std::vector<NodeId> input_adjoints(Build& b, NodeId id, NodeId g) {
  const Node node = (*b.graph)[id];  // a copy, because adding nodes moves the others
  const auto in = [&](size_t i) { return node.inputs[i]; };
  const auto unary = [&](Op op) { return b.pointwise(op, {in(0)}); };
  const auto choose = [&](Op comparison, NodeId when, NodeId otherwise) {
    return b.pointwise(Op::where, {b.pointwise(comparison, {in(0), in(1)}), when, otherwise});
  };
  const NodeId zero = b.filled(0, node.shape);
  switch (node.op) {
    case Op::negate:
      return {b.pointwise(Op::negate, {g})};
    case Op::exp:
      return {b.multiply(g, id)};
    case Op::log:
      return {b.divide(g, in(0))};
    case Op::log1p:
      return {b.divide(g, b.add(in(0), b.constant(1)))};
    case Op::sqrt:
      return {b.divide(g, b.scale(id, 2))};
    case Op::abs: {
      const NodeId below = b.pointwise(Op::less, {in(0), b.constant(0)});
      return {b.pointwise(Op::where, {below, b.pointwise(Op::negate, {g}), g})};
    }
    case Op::relu:
      return {b.pointwise(Op::where, {b.pointwise(Op::greater, {in(0), b.constant(0)}), g, zero})};
    case Op::tanh:
      return {b.multiply(g, b.subtract(b.constant(1), b.multiply(id, id)))};
    case Op::sigmoid:
      return {b.multiply(g, b.multiply(id, b.subtract(b.constant(1), id)))};
    case Op::softplus:
      return {b.multiply(g, unary(Op::sigmoid))};
    case Op::erf: {
      const NodeId bell = b.pointwise(Op::exp, {b.pointwise(Op::negate, {b.multiply(in(0), in(0))})});
      return {b.multiply(g, b.scale(bell, 2 / std::sqrt(std::numbers::pi)))};
    }
    case Op::sin:
      return {b.multiply(g, unary(Op::cos))};
    case Op::cos:
      return {b.pointwise(Op::negate, {b.multiply(g, unary(Op::sin))})};
    case Op::lgamma:
      return {b.multiply(g, unary(Op::digamma))};
    case Op::digamma:
      return {b.multiply(g, unary(Op::trigamma))};
    case Op::log_i0:
      return {b.multiply(g, unary(Op::i1_over_i0))};
    case Op::add:
      return {g, g};
    case Op::subtract:
      return {g, b.pointwise(Op::negate, {g})};
    case Op::multiply:
      return {b.multiply(g, in(1)), b.multiply(g, in(0))};
    case Op::divide: {
      const NodeId left = b.divide(g, in(1));
      return {left, b.pointwise(Op::negate, {b.multiply(left, id)})};
    }
    case Op::power:
      return {
          b.multiply(g, b.multiply(in(1), b.pointwise(Op::power, {in(0), b.subtract(in(1), b.constant(1))}))),
          b.multiply(g, b.multiply(id, b.pointwise(Op::log, {in(0)})))};
    case Op::minimum:
      return {choose(Op::less_equal, g, zero), choose(Op::less_equal, zero, g)};
    case Op::maximum:
      return {choose(Op::greater_equal, g, zero), choose(Op::greater_equal, zero, g)};
    case Op::atan2: {
      const NodeId square = b.add(b.multiply(in(0), in(0)), b.multiply(in(1), in(1)));
      return {b.divide(b.multiply(g, in(1)), square),
              b.pointwise(Op::negate, {b.divide(b.multiply(g, in(0)), square)})};
    }
    case Op::where:
      return {NodeId{}, b.pointwise(Op::where, {in(0), g, zero}), b.pointwise(Op::where, {in(0), zero, g})};
    case Op::reshape:
      return {b.reshape(g, b.shape(in(0)))};
    case Op::transpose: {
      std::vector<int64_t> back(node.ints.size());
      for (size_t i = 0; i < back.size(); ++i)
        back[static_cast<size_t>(node.ints[i])] = static_cast<int64_t>(i);
      return {b.transpose(g, back)};
    }
    case Op::broadcast: {
      const Shape from = b.shape(in(0));
      std::vector<int64_t> axes;
      for (size_t axis = 0; axis < node.shape.size(); ++axis)
        if (from.empty() || from[axis] != node.shape[axis]) axes.push_back(static_cast<int64_t>(axis));
      return {b.reshape(b.reduce(Op::sum, g, axes), from)};
    }
    case Op::sum: {
      const Shape from = b.shape(in(0));
      Shape ones = from;
      for (const int64_t axis : node.ints) ones[static_cast<size_t>(axis)] = 1;
      return {b.broadcast(b.reshape(g, ones), from)};
    }
    case Op::slice: {
      // Puts zeros around the adjoint, one axis after the other.
      const Shape from = b.shape(in(0));
      NodeId padded = g;
      for (size_t axis = 0; axis < from.size(); ++axis) {
        Shape before = b.shape(padded), after = before;
        before[axis] = node.ints[2 * axis];
        after[axis] = from[axis] - node.ints[2 * axis + 1];
        std::vector<NodeId> parts;
        if (before[axis] > 0) parts.push_back(b.filled(0, before));
        parts.push_back(padded);
        if (after[axis] > 0) parts.push_back(b.filled(0, after));
        padded = b.concat(parts, static_cast<int64_t>(axis));
      }
      return {padded};
    }
    case Op::concat: {
      std::vector<NodeId> result;
      int64_t begin = 0;
      for (const NodeId input : node.inputs) {
        std::vector<int64_t> bounds;
        for (size_t axis = 0; axis < node.shape.size(); ++axis) {
          const bool along = static_cast<int64_t>(axis) == node.ints[0];
          bounds.push_back(along ? begin : 0);
          bounds.push_back(along ? begin + b.shape(input)[axis] : node.shape[axis]);
        }
        begin += b.shape(input)[static_cast<size_t>(node.ints[0])];
        result.push_back(b.slice(g, bounds));
      }
      return result;
    }
    default:
      return std::vector<NodeId>(node.inputs.size());
  }
}

}  // namespace

NodeId derivative(Build& build, NodeId root, NodeId wrt) {
  const auto depends = dependents(*build.graph, root, wrt);
  std::map<int32_t, NodeId> adjoints;
  adjoints[root.index] = build.filled(1, build.shape(root));
  for (int32_t i = root.index; i > wrt.index; --i) {
    if (!depends[static_cast<size_t>(i)] || !adjoints.contains(i)) continue;
    const Op op = (*build.graph)[NodeId{i}].op;
    if (!has_derivative(op)) continue;
    const auto inputs = (*build.graph)[NodeId{i}].inputs;
    const auto parts = input_adjoints(build, NodeId{i}, adjoints[i]);
    for (size_t k = 0; k < inputs.size(); ++k) {
      if (!parts[k] || !depends[static_cast<size_t>(inputs[k].index)]) continue;
      const auto [place, fresh] = adjoints.try_emplace(inputs[k].index, parts[k]);
      if (!fresh) place->second = build.add(place->second, parts[k]);
    }
  }
  const auto found = adjoints.find(wrt.index);
  return found == adjoints.end() ? build.filled(0, build.shape(wrt)) : found->second;
}

bool depends_on(const Graph& graph, NodeId root, NodeId leaf) {
  return dependents(graph, root, leaf)[static_cast<size_t>(root.index)];
}

namespace {

/// Whether `root` depends on `leaf`, and `passes` accepts every step of the paths between them: a node and
/// the number of its input.
template <class Passes>
bool reached_by(const Graph& graph, NodeId root, NodeId leaf, const Passes& passes) {
  const auto depends = dependents(graph, root, leaf);
  std::vector<bool> reaches(depends.size());
  reaches[static_cast<size_t>(root.index)] = true;
  for (int32_t i = root.index; i >= 0; --i) {
    const auto at = static_cast<size_t>(i);
    if (!reaches[at] || !depends[at]) continue;
    const Node& node = graph[NodeId{i}];
    for (size_t k = 0; k < node.inputs.size(); ++k) {
      if (!depends[static_cast<size_t>(node.inputs[k].index)]) continue;
      if (!passes(node, k)) return false;
      reaches[static_cast<size_t>(node.inputs[k].index)] = true;
    }
  }
  return depends[static_cast<size_t>(root.index)];
}

bool is_differentiable(const Node& node, size_t k) {
  return has_derivative(node.op) && !(node.op == Op::where && k == 0);
}

}  // namespace

bool differentiable_in(const Graph& graph, NodeId root, NodeId leaf) {
  return reached_by(graph, root, leaf, is_differentiable);
}

bool elementwise_in(const Graph& graph, NodeId root, NodeId leaf) {
  return reached_by(graph, root, leaf, [](const Node& node, size_t k) {
    return info(node.op).group == OpGroup::pointwise && is_differentiable(node, k);
  });
}

}  // namespace semantics
