#include "compiler/tensor/passes/adjoints.h"

#include "compiler/semantics/graph/gradients.h"

namespace tensor {

void Reverse::give(ValueId input, ValueId part) {
  const auto found = adjoints_.find(input.index);
  if (found == adjoints_.end()) return;
  found->second = found->second ? emit.add(found->second, part) : part;
}

namespace {

/// Tensor programs as an engine of the rules in semantics/gradients.h.
struct Engine {
  using Id = ValueId;
  using Shape = tensor::Shape;
  Reverse& reverse;

  bool wants(ValueId id) const { return reverse.wants(id); }
  void give(ValueId input, ValueId part) { reverse.give(input, part); }
  Shape shape(ValueId id) const { return reverse.shape(id); }
  static bool is_rows(const Extent& extent) { return extent.batch >= 0; }
  static int64_t& length(Extent& extent) { return extent.size; }
  static int64_t length(const Extent& extent) { return extent.size; }
  static std::vector<int64_t> map_of_broadcast(const Shape&, const std::vector<int64_t>& ints) {
    return ints;
  }
  ValueId number(double value, ValueId like) { return reverse.emit.constant(value, shape(like)); }
  ValueId zeros(const Shape& shape) { return reverse.emit.constant(0, shape); }
  ValueId pointwise(semantics::Op op, std::vector<ValueId> inputs) {
    return reverse.emit.pointwise(static_cast<Op>(op), std::move(inputs));
  }
  ValueId reshape(ValueId a, const Shape& to) { return reverse.emit.reshape(a, to); }
  ValueId transpose(ValueId a, const std::vector<int64_t>& axes) { return reverse.emit.transpose(a, axes); }
  ValueId broadcast(ValueId a, const Shape& to, const std::vector<int64_t>& map) {
    return reverse.emit.broadcast(a, to, map);
  }
  ValueId sum(ValueId a, const std::vector<int64_t>& axes) { return reverse.emit.reduce(Op::sum, a, axes); }
  ValueId slice(ValueId a, const std::vector<int64_t>& bounds, const Shape& to) {
    return reverse.emit.operation(Op::slice, {a}, to, bounds);
  }
  ValueId concat(const std::vector<ValueId>& parts, int64_t axis) {
    Shape to = shape(parts[0]);
    const auto along = static_cast<size_t>(axis);
    for (size_t i = 1; i < parts.size(); ++i) to[along].size += shape(parts[i])[along].size;
    return reverse.emit.operation(Op::concat, parts, to, {axis});
  }
};

template <semantics::Op op>
void apply_rule(Reverse& reverse, const Value& value, ValueId y, ValueId y_adjoint) {
  Engine engine{reverse};
  using Rule = semantics::gradients::Rule<Engine>;
  semantics::gradients::Gradient<op>::apply(
      Rule{engine, value.inputs, value.ints, {&engine, y}, {&engine, y_adjoint}});
}

/// Leaves have no inputs, and no gradient flows into draws.
void pass_nothing_on(Reverse&, const Value&, ValueId, ValueId) {}

/// What the rule of a library operation reads, for y = op(a, b).
struct Library {
  Reverse& reverse;
  const Value& value;
  ValueId y_adjoint;
  Emit& e = reverse.emit;
  ValueId a() const { return value.inputs[0]; }
  ValueId b() const { return value.inputs[1]; }
  void give(size_t input, ValueId part) const { reverse.give(value.inputs[input], part); }
};
#define ADJOINT(name) void adjoint_of_##name(const Library& r)

ADJOINT(sum_ranks) { r.give(0, r.e.operation(Op::sum_ranks, {r.y_adjoint}, r.value.shape, r.value.ints)); }

// The library operations are bilinear and closed under differentiation.
ADJOINT(dense) {
  if (r.reverse.wants(r.a()))
    r.give(0, r.e.operation(Op::dense_data, {r.y_adjoint, r.b()}, r.reverse.shape(r.a())));
  if (r.reverse.wants(r.b()))
    r.give(1, r.e.operation(Op::dense_weights, {r.y_adjoint, r.a()}, r.reverse.shape(r.b())));
}
ADJOINT(dense_data) {
  if (r.reverse.wants(r.a()))
    r.give(0, r.e.operation(Op::dense, {r.y_adjoint, r.b()}, r.reverse.shape(r.a())));
  if (r.reverse.wants(r.b()))
    r.give(1, r.e.operation(Op::dense_weights, {r.a(), r.y_adjoint}, r.reverse.shape(r.b())));
}
// W = a' b: da = b W', db = a W.
ADJOINT(dense_weights) {
  if (r.reverse.wants(r.a()))
    r.give(0, r.e.operation(Op::dense, {r.b(), r.y_adjoint}, r.reverse.shape(r.a())));
  if (r.reverse.wants(r.b()))
    r.give(1, r.e.operation(Op::dense_data, {r.a(), r.y_adjoint}, r.reverse.shape(r.b())));
}
ADJOINT(conv) {
  const auto& how = r.value.ints;
  if (r.reverse.wants(r.a()))
    r.give(0, r.e.operation(Op::conv_data, {r.y_adjoint, r.b()}, r.reverse.shape(r.a()), how));
  if (r.reverse.wants(r.b()))
    r.give(1, r.e.operation(Op::conv_weights, {r.a(), r.y_adjoint}, r.reverse.shape(r.b()), how));
}
ADJOINT(conv_data) {
  const auto& how = r.value.ints;
  if (r.reverse.wants(r.a()))
    r.give(0, r.e.operation(Op::conv, {r.y_adjoint, r.b()}, r.reverse.shape(r.a()), how));
  if (r.reverse.wants(r.b()))
    r.give(1, r.e.operation(Op::conv_weights, {r.y_adjoint, r.a()}, r.reverse.shape(r.b()), how));
}
ADJOINT(conv_weights) {
  const auto& how = r.value.ints;
  if (r.reverse.wants(r.a()))
    r.give(0, r.e.operation(Op::conv_data, {r.b(), r.y_adjoint}, r.reverse.shape(r.a()), how));
  if (r.reverse.wants(r.b()))
    r.give(1, r.e.operation(Op::conv, {r.a(), r.y_adjoint}, r.reverse.shape(r.b()), how));
}
// These operations do not occur in programs: build_step translates them, and verify refuses them.
ADJOINT(matmul) { (void)r; }
ADJOINT(deconv) { (void)r; }

template <void (*rule)(const Library&)>
void apply_library(Reverse& reverse, const Value& value, ValueId, ValueId y_adjoint) {
  rule(Library{reverse, value, y_adjoint});
}

#define ADJOINT_leaf(name) pass_nothing_on,
#define ADJOINT_random(name) pass_nothing_on,
#define ADJOINT_pointwise(name) apply_rule<semantics::Op::name>,
#define ADJOINT_shape(name) apply_rule<semantics::Op::name>,
#define ADJOINT_reduce(name) apply_rule<semantics::Op::name>,
#define ADJOINT_library(name) apply_library<adjoint_of_##name>,
constexpr AdjointRule rules[] = {
#define OPERATION(name, inputs, group) ADJOINT_##group(name)
#include "compiler/semantics/graph/operations.def"
#include "compiler/tensor/operations.def"
#undef OPERATION
};

}  // namespace

AdjointRule adjoint_rule(Op op) { return rules[static_cast<size_t>(op)]; }

}  // namespace tensor
