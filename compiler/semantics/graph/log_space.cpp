#include "compiler/semantics/graph/log_space.h"

#include <cmath>
#include <map>
#include <utility>

namespace semantics {
namespace {

/// Computes logarithms of nodes of the original graph that are positive because of their form.
class Logarithms {
 public:
  Logarithms(Build& build, const std::set<int32_t>& positive,
             const std::unordered_map<int32_t, NodeId>& rebuilt)
      : b_(build), positive_(positive), rebuilt_(rebuilt) {}

  /// None if the node is not known to be positive.
  NodeId of(NodeId id) {
    if (const auto found = known_.find(id.index); found != known_.end()) return found->second;
    const Node node = (*b_.graph)[id];  // a copy, because adding nodes moves the others
    const NodeId result = make(id, node);
    known_[id.index] = result;
    return result;
  }

 private:
  NodeId make(NodeId id, const Node& node) {
    switch (node.op) {
      case Op::exp:
        return rebuilt_.at(node.inputs[0].index);
      case Op::constant:
        return node.number > 0 ? b_.constant(std::log(node.number)) : NodeId{};
      case Op::variable:
        return positive_.contains(id.index) ? log_of_leaf(id) : NodeId{};
      case Op::uniform:
      case Op::beta:
        return log_of_leaf(id);
      case Op::multiply:
        return of_both(Op::add, node);
      case Op::divide:
        return of_both(Op::subtract, node);
      case Op::add:
        return of_sum(node);
      case Op::sum:
        return of_reduction(node);
      case Op::broadcast:
        return moved(node, [&](NodeId log) { return b_.broadcast(log, node.shape); });
      case Op::reshape:
        return moved(node, [&](NodeId log) { return b_.reshape(log, node.shape); });
      case Op::transpose:
        return moved(node, [&](NodeId log) { return b_.transpose(log, node.ints); });
      case Op::slice:
        return moved(node, [&](NodeId log) { return b_.slice(log, node.ints); });
      default:
        return {};
    }
  }

  NodeId log_of_leaf(NodeId id) { return b_.pointwise(Op::log, {rebuilt_.at(id.index)}); }

  template <class Move>
  NodeId moved(const Node& node, const Move& move) {
    const NodeId log = of(node.inputs[0]);
    return log ? move(log) : NodeId{};
  }

  NodeId of_both(Op op, const Node& node) {
    const NodeId left = of(node.inputs[0]), right = of(node.inputs[1]);
    return left && right ? b_.pointwise(op, {left, right}) : NodeId{};
  }

  /// log(exp a + exp b) = max(a, b) + log1p(exp(-|a - b|)).
  NodeId of_sum(const Node& node) {
    const NodeId left = of(node.inputs[0]), right = of(node.inputs[1]);
    if (!left || !right) return {};
    const NodeId apart = b_.pointwise(Op::abs, {b_.subtract(left, right)});
    const NodeId rest = b_.pointwise(Op::exp, {b_.pointwise(Op::negate, {apart})});
    return b_.add(b_.pointwise(Op::maximum, {left, right}), b_.pointwise(Op::log1p, {rest}));
  }

  NodeId of_reduction(const Node& node) {
    const NodeId logs = of(node.inputs[0]);
    if (!logs) return {};
    const Shape full = b_.shape(logs);
    Shape ones = full;
    for (const int64_t axis : node.ints) ones[static_cast<size_t>(axis)] = 1;
    // The greatest value is a constant to gradients, as in Build::logsumexp.
    const NodeId greatest = b_.pointwise(Op::stop, {b_.reduce(Op::max, logs, node.ints)});
    const NodeId below = b_.subtract(logs, b_.broadcast(b_.reshape(greatest, ones), full));
    const NodeId sum = b_.reduce(Op::sum, b_.pointwise(Op::exp, {below}), node.ints);
    return b_.add(b_.pointwise(Op::log, {sum}), greatest);
  }

  Build& b_;
  const std::set<int32_t>& positive_;
  const std::unordered_map<int32_t, NodeId>& rebuilt_;  // by original node: the node that replaces it
  std::map<int32_t, NodeId> known_;
};

}  // namespace

NodeId in_log_space(Build& build, NodeId root, const std::set<int32_t>& positive) {
  const Graph before = *build.graph;  // nodes are copied from here while others are added
  std::unordered_map<int32_t, NodeId> rebuilt;
  Logarithms logarithms(build, positive, rebuilt);
  // By node: depends on a draw; depends on exp of a draw, which may underflow (as Gamma draws do).
  std::vector<bool> drawn, may_be_lost;
  for (int32_t i = 0; i <= root.index; ++i) {
    const Node& node = before[NodeId{i}];
    bool random = info(node.op).group == OpGroup::random, lost = false, changed = false;
    for (const NodeId input : node.inputs) {
      random = random || drawn[static_cast<size_t>(input.index)];
      lost = lost || may_be_lost[static_cast<size_t>(input.index)];
      changed = changed || !(rebuilt.at(input.index) == input);
    }
    drawn.push_back(random);
    may_be_lost.push_back(lost || (random && node.op == Op::exp));
    // Copies the node if one of its inputs was replaced. A draw with changed parameters is copied once, for
    // all nodes that use it.
    if (!changed) rebuilt[i] = NodeId{i};
    build.copy(before, NodeId{i}, rebuilt);
    if (!lost || (node.op != Op::multiply && node.op != Op::divide)) continue;
    if (const NodeId log = logarithms.of(NodeId{i})) rebuilt[i] = build.pointwise(Op::exp, {log});
  }
  return rebuilt.at(root.index);
}

}  // namespace semantics
