// Reverse accumulation on graph nodes. The compiler uses it to derive properties of a family, such as the
// mean of a statistic, which is d log_partition / d natural parameter.
#include <map>
#include <numeric>
#include <stdexcept>

#include "compiler/semantics/graph/build.h"
#include "compiler/semantics/graph/gradients.h"

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

/// The reverse sweep from one node to another, as an engine of the rules in gradients.h.
class Sweep {
 public:
  using Id = NodeId;
  using Shape = semantics::Shape;

  Sweep(Build& build, NodeId root, NodeId wrt)
      : build_(build), root_(root), wrt_(wrt), depends_(dependents(*build.graph, root, wrt)) {}

  NodeId run();

  bool wants(NodeId id) const { return depends_[static_cast<size_t>(id.index)]; }
  void give(NodeId input, NodeId part) {
    if (!wants(input)) return;
    const auto [place, fresh] = adjoints_.try_emplace(input.index, part);
    if (!fresh) place->second = build_.add(place->second, part);
  }

  Shape shape(NodeId id) const { return build_.shape(id); }
  static bool is_rows(int64_t) { return false; }  // graphs have no axis of rows
  static int64_t& length(int64_t& extent) { return extent; }
  static int64_t length(const int64_t& extent) { return extent; }
  /// A broadcast keeps the rank, or its input is a scalar.
  static std::vector<int64_t> map_of_broadcast(const Shape& from, const std::vector<int64_t>&) {
    std::vector<int64_t> map(from.size());
    std::iota(map.begin(), map.end(), 0);
    return map;
  }
  NodeId number(double value, NodeId) { return build_.constant(value); }
  NodeId zeros(const Shape& shape) { return build_.filled(0, shape); }
  NodeId pointwise(Op op, std::vector<NodeId> inputs) { return build_.pointwise(op, std::move(inputs)); }
  NodeId reshape(NodeId a, const Shape& to) { return build_.reshape(a, to); }
  NodeId transpose(NodeId a, const std::vector<int64_t>& axes) { return build_.transpose(a, axes); }
  NodeId broadcast(NodeId a, const Shape& to, const std::vector<int64_t>& map) {
    Shape ones(to.size(), 1);
    for (const int64_t axis : map) ones[static_cast<size_t>(axis)] = to[static_cast<size_t>(axis)];
    return build_.broadcast(build_.reshape(a, ones), to);
  }
  NodeId sum(NodeId a, const std::vector<int64_t>& axes) { return build_.reduce(Op::sum, a, axes); }
  NodeId slice(NodeId a, const std::vector<int64_t>& bounds, const Shape&) { return build_.slice(a, bounds); }
  NodeId concat(const std::vector<NodeId>& parts, int64_t axis) { return build_.concat(parts, axis); }

 private:
  Build& build_;
  NodeId root_, wrt_;
  std::vector<bool> depends_;
  std::map<int32_t, NodeId> adjoints_;  // by node; only of nodes that depend on `wrt`
};

using Rule = gradients::Rule<Sweep>;

void pass_nothing_on(const Rule&) {}
void refuse_library_operation(const Rule&) {
  throw std::logic_error("a library operation of an expression is differentiated in tensor programs only");
}

/// What `derivative` knows of an operation.
struct OpGradient {
  void (*apply)(const Rule&) = pass_nothing_on;
  bool has_derivative = true;
};

template <Op op>
constexpr OpGradient by_rule = {gradients::Gradient<op>::template apply<Rule>,
                                !gradients::Gradient<op>::is_step};

#define GRADIENT_leaf(name) OpGradient{},
#define GRADIENT_random(name) OpGradient{pass_nothing_on, false},
#define GRADIENT_pointwise(name) by_rule<Op::name>,
#define GRADIENT_shape(name) by_rule<Op::name>,
#define GRADIENT_reduce(name) by_rule<Op::name>,
#define GRADIENT_library(name) OpGradient{refuse_library_operation},
constexpr OpGradient op_gradients[] = {
#define OPERATION(name, inputs, group) GRADIENT_##group(name)
#include "compiler/semantics/graph/operations.def"
#undef OPERATION
};

const OpGradient& gradient_of(Op op) { return op_gradients[static_cast<size_t>(op)]; }

NodeId Sweep::run() {
  adjoints_[root_.index] = build_.filled(1, build_.shape(root_));
  for (int32_t i = root_.index; i > wrt_.index; --i) {
    if (!wants({i}) || !adjoints_.contains(i)) continue;
    const Node node = (*build_.graph)[NodeId{i}];  // a copy, because adding nodes moves the others
    gradient_of(node.op).apply({*this, node.inputs, node.ints, {this, NodeId{i}}, {this, adjoints_[i]}});
  }
  const auto found = adjoints_.find(wrt_.index);
  return found == adjoints_.end() ? build_.filled(0, build_.shape(wrt_)) : found->second;
}

}  // namespace

NodeId derivative(Build& build, NodeId root, NodeId wrt) { return Sweep(build, root, wrt).run(); }

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
  return gradient_of(node.op).has_derivative && !(node.op == Op::where && k == 0);
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
