// Building graph nodes. In: nodes whose shapes the caller has checked. Out: nodes, with scalars stretched,
// constants folded, and functions that are not operations lowered onto those that are. Shapes are taken by
// value: adding a node moves the others.
#pragma once
#include <optional>
#include <unordered_map>
#include <vector>

#include "compiler/semantics/graph.h"

namespace semantics {

struct Build {
  Graph* graph;
  base::Span span;  // of nodes made from now on

  const Shape& shape(NodeId id) const { return (*graph)[id].shape; }
  /// The number that every element of a node equals, if that is known.
  std::optional<double> constant_of(NodeId id) const;

  NodeId constant(double value);
  NodeId filled(double value, Shape shape);
  NodeId leaf(Op op, int32_t index, Shape shape);
  NodeId iota(Shape shape, int64_t axis);
  NodeId random(Op op, std::vector<NodeId> inputs, Shape shape);

  /// Inputs of one shape, or scalars.
  NodeId pointwise(Op op, std::vector<NodeId> inputs);
  NodeId add(NodeId a, NodeId b) { return pointwise(Op::add, {a, b}); }
  NodeId subtract(NodeId a, NodeId b) { return pointwise(Op::subtract, {a, b}); }
  NodeId multiply(NodeId a, NodeId b) { return pointwise(Op::multiply, {a, b}); }
  NodeId divide(NodeId a, NodeId b) { return pointwise(Op::divide, {a, b}); }
  NodeId scale(NodeId a, double factor) { return multiply(a, constant(factor)); }

  NodeId reshape(NodeId a, Shape shape);
  NodeId transpose(NodeId a, const std::vector<int64_t>& axes);
  NodeId broadcast(NodeId a, Shape shape);
  /// Stretches a node without `axis` along a new one, so that it has `shape` again.
  NodeId broadcast_along(NodeId a, int64_t axis, Shape shape);
  NodeId slice(NodeId a, const std::vector<int64_t>& bounds);
  NodeId concat(const std::vector<NodeId>& parts, int64_t axis);
  NodeId reduce(Op op, NodeId a, const std::vector<int64_t>& axes);
  NodeId sum_all(NodeId a);

  NodeId dense(NodeId a, NodeId weights);
  NodeId matmul(NodeId a, NodeId b);
  NodeId convolution(Op op, NodeId a, NodeId weights, const std::vector<int64_t>& stride_and_padding,
                     Shape shape);

  /// The greatest along `axis`, as a constant to gradients: subtracting it changes no softmax.
  NodeId softmax(NodeId a, int64_t axis);
  NodeId logsumexp(NodeId a, int64_t axis);
  /// The first index along axis 0 where `a` is greatest; axis 0 dropped.
  NodeId argmax(NodeId a);
  /// Index to one-hot, a new axis 0 of length `classes`.
  NodeId one_hot(NodeId index, int64_t classes);

  /// Adds what `from` computes for `root`, with nodes of `given` in the places of its keys. Random draws are
  /// made anew. `done` carries over what was copied before.
  NodeId copy(const Graph& from, NodeId root, std::unordered_map<int32_t, NodeId>& done);

 private:
  /// The inputs as they were before one stretching that they share: work is done on the fewer elements.
  std::optional<std::vector<NodeId>> before_stretching(const std::vector<NodeId>& inputs) const;
  NodeId add_node(Op op, std::vector<NodeId> inputs, Shape shape, std::vector<int64_t> ints = {});
};

/// d sum(root) / d wrt, of wrt's shape. Operations without a derivative there (comparisons, draws) count as
/// constants; library operations must not lie between.
NodeId derivative(Build& build, NodeId root, NodeId wrt);

/// Whether `root` depends on `leaf` other than through a stop.
bool depends_on(const Graph& graph, NodeId root, NodeId leaf);
/// Whether `root` depends on `leaf`, each element on the one in its place, differentiably.
bool elementwise_in(const Graph& graph, NodeId root, NodeId leaf);
/// Whether it depends on `leaf`, and every path from there is differentiable.
bool differentiable_in(const Graph& graph, NodeId root, NodeId leaf);

}  // namespace semantics
