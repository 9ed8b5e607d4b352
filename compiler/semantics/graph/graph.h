// Expressions after names are resolved, nets called, loops unrolled and shapes inferred. A whole model is one
// graph. Shapes are those of one row, without the batch axis. Nodes are in dependency order. The inputs of a
// pointwise node have its shape; stretching is an explicit broadcast.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/base/source.h"

namespace semantics {

using Shape = std::vector<int64_t>;
int64_t count(const Shape& shape);          // product; 1 for a scalar
std::string to_string(const Shape& shape);  // "[28, 28]"; "a scalar" for []

struct NodeId {
  int32_t index = -1;
  bool operator==(const NodeId&) const = default;
  explicit operator bool() const { return index >= 0; }
};
struct VariableId {
  int32_t index = -1;
  auto operator<=>(const VariableId&) const = default;
};
struct ParameterId {
  int32_t index = -1;
  auto operator<=>(const ParameterId&) const = default;
};
struct ColumnId {
  int32_t index = -1;
  auto operator<=>(const ColumnId&) const = default;
};
struct PlayerId {
  int32_t index = -1;
  auto operator<=>(const PlayerId&) const = default;
};
struct ConditionalId {
  int32_t index = -1;
  auto operator<=>(const ConditionalId&) const = default;
};
struct SourceId {
  int32_t index = -1;
  auto operator<=>(const SourceId&) const = default;
};

enum class Op {
#define OPERATION(name, inputs, group) name,
#include "compiler/semantics/graph/operations.def"
#undef OPERATION
};
enum class OpGroup { leaf, pointwise, random, shape, reduce, library };
struct OpInfo {
  const char* name;
  int inputs;
  OpGroup group;
};
const OpInfo& info(Op op);
std::optional<Op> find_op(const std::string& name);

struct Node {
  Op op;
  std::vector<NodeId> inputs;
  Shape shape;
  std::vector<int64_t> ints;  // see operations.def
  double number = 0;          // for a constant
  int32_t index = -1;         // for a variable, parameter or column
  base::Span span;            // where the user wrote it
};

struct Graph {
  std::vector<Node> nodes;
  const Node& operator[](NodeId id) const { return nodes[static_cast<size_t>(id.index)]; }
  /// Adds a node. If an equal node exists, returns that one (except for random draws, which are never
  /// shared).
  NodeId add(Node node);

 private:
  std::unordered_multimap<uint64_t, int32_t> by_content_;
};

/// The variables that `root` depends on, ascending.
std::vector<VariableId> variables_of(const Graph& graph, NodeId root);
/// The parameters that `root` depends on, ascending.
std::vector<ParameterId> parameters_of(const Graph& graph, NodeId root);

}  // namespace semantics
