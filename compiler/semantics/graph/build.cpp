#include "compiler/semantics/graph/build.h"

#include <algorithm>
#include <numeric>

#include "compiler/semantics/graph/evaluate_numeric.h"

namespace semantics {

NodeId Build::add_node(Op op, std::vector<NodeId> inputs, Shape shape, std::vector<int64_t> ints) {
  return graph->add({op, std::move(inputs), std::move(shape), std::move(ints), 0, -1, span});
}

std::optional<double> Build::constant_of(NodeId id) const {
  const Node* node = &(*graph)[id];
  while (node->op == Op::broadcast) node = &(*graph)[node->inputs[0]];
  if (node->op == Op::constant) return node->number;
  return std::nullopt;
}

NodeId Build::constant(double value) { return graph->add({Op::constant, {}, {}, {}, value, -1, span}); }
NodeId Build::filled(double value, Shape shape) { return broadcast(constant(value), shape); }
NodeId Build::leaf(Op op, int32_t index, Shape shape) {
  return graph->add({op, {}, shape, {}, 0, index, span});
}
NodeId Build::iota(Shape shape, int64_t axis) { return add_node(Op::iota, {}, shape, {axis}); }

NodeId Build::random(Op op, std::vector<NodeId> inputs, Shape shape) {
  for (NodeId& input : inputs) input = broadcast(input, shape);
  return add_node(op, std::move(inputs), shape);
}

NodeId Build::pointwise(Op op, std::vector<NodeId> inputs) {
  Shape shape;
  for (const NodeId input : inputs)
    if (!this->shape(input).empty()) shape = this->shape(input);
  std::vector<std::optional<double>> known;
  for (NodeId& input : inputs) {
    input = broadcast(input, shape);
    known.push_back(constant_of(input));
  }
  if (std::all_of(known.begin(), known.end(), [](const auto& value) { return value.has_value(); }))
    return filled(apply(op, *known[0], known.size() > 1 ? *known[1] : 0, known.size() > 2 ? *known[2] : 0),
                  shape);
  const auto is = [&](size_t i, double value) { return known[i] && *known[i] == value; };
  switch (op) {
    case Op::add:
      if (is(0, 0)) return inputs[1];
      if (is(1, 0)) return inputs[0];
      break;
    case Op::subtract:
      if (is(1, 0)) return inputs[0];
      if (is(0, 0)) return pointwise(Op::negate, {inputs[1]});
      break;
    case Op::multiply:
      if (is(0, 1)) return inputs[1];
      if (is(1, 1)) return inputs[0];
      if (is(0, 0) || is(1, 0)) return filled(0, shape);
      break;
    case Op::divide:
      if (is(1, 1)) return inputs[0];
      if (is(0, 0)) return filled(0, shape);
      break;
    case Op::negate:
      if ((*graph)[inputs[0]].op == Op::negate) return (*graph)[inputs[0]].inputs[0];
      break;
    case Op::where:
      if (known[0]) return *known[0] != 0 ? inputs[1] : inputs[2];
      break;
    default:
      break;
  }
  if (const auto small = before_stretching(inputs)) return broadcast(pointwise(op, *small), shape);
  return add_node(op, std::move(inputs), shape);
}

std::optional<std::vector<NodeId>> Build::before_stretching(const std::vector<NodeId>& inputs) const {
  std::vector<NodeId> sources;
  std::optional<Shape> common;
  for (const NodeId input : inputs) {
    const Node& node = (*graph)[input];
    if (node.op != Op::broadcast) return std::nullopt;
    sources.push_back(node.inputs[0]);
    if (constant_of(input)) continue;  // a constant can be stretched to any shape
    if (common && *common != shape(node.inputs[0])) return std::nullopt;
    common = shape(node.inputs[0]);
  }
  return sources;
}

NodeId Build::reshape(NodeId a, Shape shape) {
  if (this->shape(a) == shape) return a;
  if (const auto value = constant_of(a)) return filled(*value, shape);
  if ((*graph)[a].op == Op::reshape) return reshape((*graph)[a].inputs[0], shape);
  return add_node(Op::reshape, {a}, shape);
}

NodeId Build::transpose(NodeId a, const std::vector<int64_t>& axes) {
  if (std::is_sorted(axes.begin(), axes.end())) return a;
  Shape result;
  for (const int64_t axis : axes) result.push_back(shape(a)[static_cast<size_t>(axis)]);
  if (const auto value = constant_of(a)) return filled(*value, result);
  return add_node(Op::transpose, {a}, result, axes);
}

NodeId Build::broadcast(NodeId a, Shape shape) {
  if (this->shape(a) == shape) return a;
  if ((*graph)[a].op == Op::broadcast) return broadcast((*graph)[a].inputs[0], shape);
  return add_node(Op::broadcast, {a}, shape);
}

NodeId Build::broadcast_along(NodeId a, int64_t axis, Shape shape) {
  Shape single = shape;
  single[static_cast<size_t>(axis)] = 1;
  return broadcast(reshape(a, single), shape);
}

NodeId Build::slice(NodeId a, const std::vector<int64_t>& bounds) {
  Shape result;
  for (size_t axis = 0; axis < shape(a).size(); ++axis)
    result.push_back(bounds[2 * axis + 1] - bounds[2 * axis]);
  if (result == shape(a)) return a;
  if (const auto value = constant_of(a)) return filled(*value, result);
  return add_node(Op::slice, {a}, result, bounds);
}

NodeId Build::concat(const std::vector<NodeId>& parts, int64_t axis) {
  if (parts.size() == 1) return parts[0];
  Shape result = shape(parts[0]);
  for (size_t i = 1; i < parts.size(); ++i)
    result[static_cast<size_t>(axis)] += shape(parts[i])[static_cast<size_t>(axis)];
  return add_node(Op::concat, parts, result, {axis});
}

NodeId Build::reduce(Op op, NodeId a, const std::vector<int64_t>& axes) {
  if (axes.empty()) return a;
  Shape result;
  int64_t dropped = 1;
  for (size_t axis = 0; axis < shape(a).size(); ++axis) {
    if (std::find(axes.begin(), axes.end(), static_cast<int64_t>(axis)) == axes.end())
      result.push_back(shape(a)[axis]);
    else
      dropped *= shape(a)[axis];
  }
  if (dropped == 1) return reshape(a, result);
  if (const auto value = constant_of(a))
    return filled(op == Op::sum ? *value * static_cast<double>(dropped) : *value, result);
  return add_node(op, {a}, result, axes);
}

NodeId Build::sum_all(NodeId a) {
  std::vector<int64_t> axes(shape(a).size());
  std::iota(axes.begin(), axes.end(), 0);
  return reduce(Op::sum, a, axes);
}

NodeId Build::dense(NodeId a, NodeId weights) {
  const NodeId flat = reshape(a, {count(shape(a))});
  return add_node(Op::dense, {flat, weights}, {shape(weights)[0]});
}

NodeId Build::matmul(NodeId a, NodeId b) { return add_node(Op::matmul, {a, b}, {shape(a)[0], shape(b)[1]}); }

NodeId Build::convolution(Op op, NodeId a, NodeId weights, const std::vector<int64_t>& stride_and_padding,
                          Shape shape) {
  return add_node(op, {a, weights}, shape, stride_and_padding);
}

NodeId Build::softmax(NodeId a, int64_t axis) {
  const Shape full = shape(a);
  const NodeId greatest = pointwise(Op::stop, {reduce(Op::max, a, {axis})});
  const NodeId e = pointwise(Op::exp, {subtract(a, broadcast_along(greatest, axis, full))});
  return divide(e, broadcast_along(reduce(Op::sum, e, {axis}), axis, full));
}

NodeId Build::logsumexp(NodeId a, int64_t axis) {
  const NodeId greatest = pointwise(Op::stop, {reduce(Op::max, a, {axis})});
  const NodeId e = pointwise(Op::exp, {subtract(a, broadcast_along(greatest, axis, shape(a)))});
  return add(pointwise(Op::log, {reduce(Op::sum, e, {axis})}), greatest);
}

NodeId Build::argmax(NodeId a) {
  const Shape full = shape(a);
  const NodeId greatest = broadcast_along(reduce(Op::max, a, {0}), 0, full);
  const NodeId index = pointwise(Op::where, {pointwise(Op::equal, {a, greatest}), iota(full, 0),
                                             constant(static_cast<double>(full[0]))});
  return reduce(Op::min, index, {0});
}

NodeId Build::one_hot(NodeId index, int64_t classes) {
  Shape full = shape(index);
  full.insert(full.begin(), classes);
  return pointwise(Op::equal, {iota(full, 0), broadcast_along(index, 0, full)});
}

NodeId Build::copy(const Graph& from, NodeId root, std::unordered_map<int32_t, NodeId>& done) {
  if (const auto found = done.find(root.index); found != done.end()) return found->second;
  const Node& node = from[root];
  std::vector<NodeId> inputs;
  for (const NodeId input : node.inputs) inputs.push_back(copy(from, input, done));
  NodeId result;
  switch (info(node.op).group) {
    case OpGroup::pointwise:
      result = pointwise(node.op, inputs);
      break;
    case OpGroup::random:
      result = random(node.op, inputs, node.shape);
      break;
    case OpGroup::reduce:
      result = reduce(node.op, inputs[0], node.ints);
      break;
    case OpGroup::shape:
      if (node.op == Op::reshape) result = reshape(inputs[0], node.shape);
      if (node.op == Op::transpose) result = transpose(inputs[0], node.ints);
      if (node.op == Op::broadcast) result = broadcast(inputs[0], node.shape);
      if (node.op == Op::slice) result = slice(inputs[0], node.ints);
      if (node.op == Op::concat) result = concat(inputs, node.ints[0]);
      break;
    default:
      result = graph->add({node.op, inputs, node.shape, node.ints, node.number, node.index, span});
  }
  done[root.index] = result;
  return result;
}

}  // namespace semantics
