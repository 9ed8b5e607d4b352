// Builds graph nodes. In: nodes whose shapes the caller has checked. Out: nodes in which scalars are
// stretched, constants are folded, and functions that are not operations are expressed by operations. Shapes
// are passed by value, because adding a node moves the other nodes.
#pragma once
#include <optional>
#include <unordered_map>
#include <vector>

#include "compiler/semantics/graph/graph.h"

namespace semantics {

struct Build {
  Graph* graph;
  base::Span span;  // for nodes that are created from now on

  const Shape& shape(NodeId id) const { return (*graph)[id].shape; }
  /// The number that every element of a node equals; none if it is not known.
  std::optional<double> constant_of(NodeId id) const;

  NodeId constant(double value);
  NodeId filled(double value, Shape shape);
  NodeId leaf(Op op, int32_t index, Shape shape);
  NodeId iota(Shape shape, int64_t axis);
  NodeId random(Op op, std::vector<NodeId> inputs, Shape shape);

  /// The inputs have one shape, or are scalars.
  NodeId pointwise(Op op, std::vector<NodeId> inputs);
  NodeId add(NodeId a, NodeId b) { return pointwise(Op::add, {a, b}); }
  NodeId subtract(NodeId a, NodeId b) { return pointwise(Op::subtract, {a, b}); }
  NodeId multiply(NodeId a, NodeId b) { return pointwise(Op::multiply, {a, b}); }
  NodeId divide(NodeId a, NodeId b) { return pointwise(Op::divide, {a, b}); }
  NodeId scale(NodeId a, double factor) { return multiply(a, constant(factor)); }

  NodeId reshape(NodeId a, Shape shape);
  NodeId transpose(NodeId a, const std::vector<int64_t>& axes);
  NodeId broadcast(NodeId a, Shape shape);
  /// Stretches a node without `axis` along a new axis there, so that it has `shape`.
  NodeId broadcast_along(NodeId a, int64_t axis, Shape shape);
  NodeId slice(NodeId a, const std::vector<int64_t>& bounds);
  NodeId concat(const std::vector<NodeId>& parts, int64_t axis);
  NodeId reduce(Op op, NodeId a, const std::vector<int64_t>& axes);
  NodeId sum_all(NodeId a);

  NodeId dense(NodeId a, NodeId weights);
  NodeId matmul(NodeId a, NodeId b);
  NodeId convolution(Op op, NodeId a, NodeId weights, const std::vector<int64_t>& stride_and_padding,
                     Shape shape);

  /// Both subtract the greatest value along `axis` first, as a constant to gradients. This does not change
  /// the result, but prevents overflow.
  NodeId softmax(NodeId a, int64_t axis);
  NodeId logsumexp(NodeId a, int64_t axis);
  /// The first index along axis 0 at which `a` is greatest. The result does not have axis 0.
  NodeId argmax(NodeId a);
  /// Turns an index into one-hot, with a new axis 0 of length `classes`.
  NodeId one_hot(NodeId index, int64_t classes);

  /// Copies `root` from the graph `from`. For nodes in `done` it uses their values instead; the nodes that it
  /// copies are added there. Each copy of a random draw is a new draw.
  NodeId copy(const Graph& from, NodeId root, std::unordered_map<int32_t, NodeId>& done);

 private:
  /// If all inputs are stretched in the same way: the inputs before that, so that the operation works on
  /// fewer elements.
  std::optional<std::vector<NodeId>> before_stretching(const std::vector<NodeId>& inputs) const;
  NodeId add_node(Op op, std::vector<NodeId> inputs, Shape shape, std::vector<int64_t> ints = {});
};

/// d sum(root) / d wrt, with the shape of `wrt`. Operations without a derivative (comparisons, draws) count
/// as constants. There must be no library operation between `root` and `wrt`.
NodeId derivative(Build& build, NodeId root, NodeId wrt);

/// Whether `root` depends on `leaf` by a path without a stop.
bool depends_on(const Graph& graph, NodeId root, NodeId leaf);
/// Whether `root` depends on `leaf` differentiably and element by element.
bool elementwise_in(const Graph& graph, NodeId root, NodeId leaf);
/// Whether `root` depends on `leaf`, and every path between them is differentiable.
bool differentiable_in(const Graph& graph, NodeId root, NodeId leaf);

}  // namespace semantics
