#include "compiler/tensor/passes/simplify.h"

#include <algorithm>
#include <bit>
#include <unordered_map>

#include "compiler/semantics/graph/evaluate_numeric.h"
#include "compiler/tensor/emit.h"
#include "compiler/tensor/passes/remove_dead.h"

namespace tensor {
namespace {

/// Rebuilds a program value by value. `make` constructs a value and applies the laws of its operation.
class Simplifier {
 public:
  explicit Simplifier(const Program& from) : from_(from) {
    to_.name = from.name;
    to_.batches = from.batches;
    to_.parameters = from.parameters;
    differentiated_ = from.shared.empty() && std::ranges::all_of(from.updates, [](const PlayerUpdate& u) {
                        return u.terms.empty();
                      });
  }

  Program run() {
    std::vector<ValueId> image;
    for (const Value& value : from_.values) {
      Value copy = value;
      for (ValueId& input : copy.inputs) input = image[static_cast<size_t>(input.index)];
      image.push_back(make(std::move(copy)));
    }
    auto moved = [&](ValueId id) { return image[static_cast<size_t>(id.index)]; };
    for (const Output& output : from_.outputs) to_.outputs.push_back({output.name, moved(output.value)});
    for (const Term& term : from_.shared) to_.shared.push_back({moved(term.value), moved(term.seed)});
    for (PlayerUpdate update : from_.updates) {
      for (Term& term : update.terms) term = {moved(term.value), moved(term.seed)};
      for (Gradient& gradient : update.gradients) gradient.value = moved(gradient.value);
      to_.updates.push_back(std::move(update));
    }
    return remove_dead(std::move(to_));
  }

  /// Whether a law was applied or two values became one. If not, another round would change nothing either.
  bool has_changed() const { return changed_; }

 private:
  const Value& at(ValueId id) const { return to_[id]; }
  bool is(ValueId id, Op op) const { return at(id).op == op; }
  bool is_number(ValueId id, double number) const { return is(id, Op::constant) && at(id).number == number; }

  /// Whether the values are the same, whatever their names. Constants are compared by their bits, because NaN
  /// differs from itself.
  static bool are_equal(const Value& a, const Value& b) {
    return a.op == b.op && a.inputs == b.inputs && a.shape == b.shape && a.ints == b.ints &&
           std::bit_cast<uint64_t>(a.number) == std::bit_cast<uint64_t>(b.number) && a.index == b.index &&
           a.site == b.site && (a.op != Op::input || a.name == b.name);
  }

  static size_t hash_of(const Value& value) {
    size_t hash = static_cast<size_t>(value.op);
    const auto mix = [&](uint64_t number) { hash = (hash ^ number) * 0x9e3779b97f4a7c15U + (hash >> 29); };
    for (const ValueId input : value.inputs) mix(static_cast<uint64_t>(input.index));
    for (const Extent& extent : value.shape)
      mix(static_cast<uint64_t>(extent.size) ^ static_cast<uint64_t>(extent.batch) << 48);
    for (const int64_t number : value.ints) mix(static_cast<uint64_t>(number));
    mix(std::bit_cast<uint64_t>(value.number));
    mix(static_cast<uint64_t>(value.index) << 32 ^ value.site);
    return hash;
  }

  ValueId intern(Value value) {
    const size_t hash = hash_of(value);
    const auto [begin, end] = known_.equal_range(hash);
    for (auto entry = begin; entry != end; ++entry)
      if (are_equal(at(entry->second), value)) {
        changed_ = true;
        return entry->second;
      }
    return known_.emplace(hash, to_.add(std::move(value)))->second;
  }

  ValueId constant(double number, const Shape& shape) {
    Value value;
    value.number = number;
    value.shape = shape;
    return intern(std::move(value));
  }
  ValueId pointwise(Op op, std::vector<ValueId> inputs) {
    Value value;
    value.op = op;
    value.shape = at(inputs[0]).shape;
    value.inputs = std::move(inputs);
    return make(std::move(value));
  }
  ValueId moved(Op op, ValueId input, Shape shape, std::vector<int64_t> ints) {
    Value value;
    value.op = op;
    value.inputs = {input};
    value.shape = std::move(shape);
    value.ints = std::move(ints);
    return make(std::move(value));
  }

  ValueId make(Value value) {
    // The result of one law may trigger the next law, in a chain as deep as the program is long. The depth is
    // limited: no law is required for a correct result.
    if (depth_ >= deepest) {
      changed_ = true;  // the next round may apply a law here
      return intern(std::move(value));
    }
    ++depth_;
    const ValueId result = apply_laws(value);
    --depth_;
    if (!result) return intern(std::move(value));
    changed_ = true;
    return result;
  }

  ValueId apply_laws(Value& value) {
    switch (info(value.op).group) {
      case semantics::OpGroup::pointwise:
        return make_pointwise(value);
      case semantics::OpGroup::shape:
        return make_shape(value);
      case semantics::OpGroup::reduce:
        return make_reduce(value);
      default:
        return {};
    }
  }

  ValueId make_pointwise(Value& value) {
    if (std::ranges::all_of(value.inputs, [&](ValueId input) { return is(input, Op::constant); }) &&
        value.op != Op::stop) {
      double operands[3] = {0, 0, 0};
      for (size_t i = 0; i < value.inputs.size(); ++i) operands[i] = at(value.inputs[i]).number;
      return constant(
          semantics::apply(static_cast<semantics::Op>(value.op), operands[0], operands[1], operands[2]),
          value.shape);
    }
    if (value.op == Op::add || value.op == Op::multiply) {
      ValueId &a = value.inputs[0], &b = value.inputs[1];
      if (is(a, Op::constant) || (!is(b, Op::constant) && b < a)) {
        std::swap(a, b);
        changed_ = true;
      }
    }
    // Negations move outwards, where they meet and cancel.
    if (value.op != Op::negate) {
      if (const ValueId hoisted = hoist_broadcast(value)) return hoisted;
    }
    const ValueId a = value.inputs[0];
    const ValueId b = value.inputs.size() > 1 ? value.inputs[1] : ValueId{};
    switch (value.op) {
      case Op::stop:
        return differentiated_ ? a : ValueId{};
      case Op::negate:
        if (is(a, Op::negate)) return at(a).inputs[0];
        if (is(a, Op::subtract)) return pointwise(Op::subtract, {at(a).inputs[1], at(a).inputs[0]});
        return {};
      case Op::log:
        return is(a, Op::exp) ? at(a).inputs[0] : ValueId{};
      case Op::add:
        return make_add(a, b);
      case Op::subtract:
        return make_subtract(a, b);
      case Op::multiply:
        return make_multiply(a, b);
      case Op::divide:
        if (is_number(a, 0)) return a;
        if (is(b, Op::constant)) return pointwise(Op::multiply, {a, constant(1 / at(b).number, at(b).shape)});
        return {};
      case Op::power:
        if (is_number(b, 1)) return a;
        if (is_number(b, 2)) return pointwise(Op::multiply, {a, a});
        if (is_number(b, 0)) return constant(1, value.shape);
        if (is_number(b, 0.5)) return pointwise(Op::sqrt, {a});
        if (is_number(b, -1)) return pointwise(Op::divide, {constant(1, value.shape), a});
        return {};
      case Op::where:
        if (is(a, Op::constant)) return at(a).number != 0 ? b : value.inputs[2];
        return b == value.inputs[2] ? b : ValueId{};
      default:
        return {};
    }
  }

  /// x s and y s share the factor s. This holds x, y and the common factor s.
  struct Factors {
    ValueId x, y, common;
  };
  std::optional<Factors> common_factor(ValueId a, ValueId b) const {
    if (!is(a, Op::multiply) || !is(b, Op::multiply)) return {};
    for (size_t i = 0; i < 2; ++i) {
      for (size_t j = 0; j < 2; ++j) {
        if (at(a).inputs[i] == at(b).inputs[j])
          return Factors{at(a).inputs[1 - i], at(b).inputs[1 - j], at(a).inputs[i]};
      }
    }
    return {};
  }
  /// Two sums over the same axes become one.
  ValueId join_sums(Op op, ValueId a, ValueId b) {
    if (!is(a, Op::sum) || !is(b, Op::sum) || at(a).ints != at(b).ints) return {};
    const ValueId x = at(a).inputs[0], y = at(b).inputs[0];
    if (at(x).shape != at(y).shape) return {};
    const std::vector<int64_t> axes = at(a).ints;
    Shape shape = at(a).shape;
    return moved(Op::sum, pointwise(op, {x, y}), shape, axes);
  }

  ValueId make_add(ValueId a, ValueId b) {
    if (is_number(b, 0)) return a;
    if (is(b, Op::negate)) return pointwise(Op::subtract, {a, at(b).inputs[0]});
    if (is(a, Op::negate)) return pointwise(Op::subtract, {b, at(a).inputs[0]});
    if (is(a, Op::add) && is(b, Op::constant) && is(at(a).inputs[1], Op::constant))
      return pointwise(Op::add,
                       {at(a).inputs[0], constant(at(at(a).inputs[1]).number + at(b).number, at(b).shape)});
    if (const auto f = common_factor(a, b))
      return pointwise(Op::multiply, {pointwise(Op::add, {f->x, f->y}), f->common});
    return join_sums(Op::add, a, b);
  }
  ValueId make_subtract(ValueId a, ValueId b) {
    if (is_number(b, 0)) return a;
    if (is_number(a, 0)) return pointwise(Op::negate, {b});
    if (a == b) return constant(0, at(a).shape);
    if (is(b, Op::negate)) return pointwise(Op::add, {a, at(b).inputs[0]});
    if (is(b, Op::constant)) return pointwise(Op::add, {a, constant(-at(b).number, at(b).shape)});
    if (const auto f = common_factor(a, b))
      return pointwise(Op::multiply, {pointwise(Op::subtract, {f->x, f->y}), f->common});
    return join_sums(Op::subtract, a, b);
  }
  ValueId make_multiply(ValueId a, ValueId b) {
    if (is_number(b, 1)) return a;
    if (is_number(b, 0)) return b;
    if (is_number(b, -1)) return pointwise(Op::negate, {a});
    if (is(a, Op::negate)) return pointwise(Op::negate, {pointwise(Op::multiply, {at(a).inputs[0], b})});
    if (is(b, Op::negate)) return pointwise(Op::negate, {pointwise(Op::multiply, {a, at(b).inputs[0]})});
    if (is(a, Op::multiply) && is(b, Op::constant) && is(at(a).inputs[1], Op::constant))
      return pointwise(Op::multiply,
                       {at(a).inputs[0], constant(at(at(a).inputs[1]).number * at(b).number, at(b).shape)});
    return {};
  }

  /// f(stretch x, stretch y, constant) = stretch f(x, y, constant), if both are stretched in the same way.
  ValueId hoist_broadcast(const Value& value) {
    const Value* first = nullptr;
    for (ValueId input : value.inputs) {
      const Value& operand = at(input);
      if (operand.op == Op::constant) continue;
      if (operand.op != Op::broadcast) return {};
      if (first == nullptr) first = &operand;
      if (operand.ints != first->ints || at(operand.inputs[0]).shape != at(first->inputs[0]).shape) return {};
    }
    if (first == nullptr) return {};
    const Shape small = at(first->inputs[0]).shape;
    const std::vector<int64_t> map = first->ints;
    std::vector<ValueId> inputs;
    for (ValueId input : value.inputs)
      inputs.push_back(is(input, Op::constant) ? constant(at(input).number, small) : at(input).inputs[0]);
    return moved(Op::broadcast, pointwise(value.op, inputs), value.shape, map);
  }

  ValueId make_shape(Value& value) {
    if (value.op == Op::concat) return value.inputs.size() == 1 ? value.inputs[0] : ValueId{};
    const ValueId input = value.inputs[0];
    const Value from = at(input);
    if (from.op == Op::constant) return constant(from.number, value.shape);
    switch (value.op) {
      case Op::reshape:
        if (from.shape == value.shape) return input;
        if (from.op == Op::reshape) return moved(Op::reshape, from.inputs[0], value.shape, {});
        if (from.op == Op::broadcast && from.ints.empty())
          return moved(Op::broadcast, from.inputs[0], value.shape, {});
        return {};
      case Op::transpose:
        return make_transpose(value, input, from);
      case Op::broadcast:
        if (from.shape == value.shape && std::ranges::is_sorted(value.ints)) return input;
        if (from.op == Op::broadcast) {
          std::vector<int64_t> map;
          for (int64_t axis : from.ints) map.push_back(value.ints[static_cast<size_t>(axis)]);
          return moved(Op::broadcast, from.inputs[0], value.shape, map);
        }
        return {};
      case Op::slice:
        return from.shape == value.shape ? input : ValueId{};
      default:
        return {};
    }
  }

  ValueId make_transpose(const Value& value, ValueId input, const Value& from) {
    if (std::ranges::is_sorted(value.ints)) return input;
    std::vector<int64_t> longer;  // the axes with more than one element, in the order of the result
    for (size_t i = 0; i < value.ints.size(); ++i) {
      if (value.shape[i] != Extent{1, -1}) longer.push_back(value.ints[i]);
    }
    if (std::ranges::is_sorted(longer)) return moved(Op::reshape, input, value.shape, {});
    if (from.op == Op::transpose) {
      std::vector<int64_t> axes;
      for (int64_t axis : value.ints) axes.push_back(from.ints[static_cast<size_t>(axis)]);
      return moved(Op::transpose, from.inputs[0], value.shape, axes);
    }
    if (from.op == Op::broadcast) {
      std::vector<int64_t> map;
      for (int64_t axis : from.ints) map.push_back(std::ranges::find(value.ints, axis) - value.ints.begin());
      return moved(Op::broadcast, from.inputs[0], value.shape, map);
    }
    return {};
  }

  ValueId make_reduce(Value& value) {
    const ValueId input = value.inputs[0];
    if (value.ints.empty()) return input;
    const Shape from = at(input).shape;
    if (std::ranges::all_of(value.ints,
                            [&](int64_t axis) { return from[static_cast<size_t>(axis)] == Extent{1, -1}; }))
      return moved(Op::reshape, input, value.shape, {});
    if (value.op != Op::sum) return {};
    if (is(input, Op::negate))
      return pointwise(Op::negate, {moved(Op::sum, at(input).inputs[0], value.shape, value.ints)});
    if (is(input, Op::sum) && !(value.ints[0] == 0 && from[0].batch >= 0))
      return merge_sums(value, at(input));
    if (value.ints.size() > 1 && value.ints[0] == 0 && from[0].batch >= 0) {
      const std::vector<int64_t> inner(value.ints.begin() + 1, value.ints.end());
      Shape middle;
      for (size_t i = 0; i < from.size(); ++i) {
        if (std::ranges::count(inner, static_cast<int64_t>(i)) == 0) middle.push_back(from[i]);
      }
      return moved(Op::sum, moved(Op::sum, input, middle, inner), value.shape, {0});
    }
    return {};
  }

  /// Joins a sum of a sum into one sum over the axes of both. (The split into stages then puts the rows
  /// last.)
  ValueId merge_sums(const Value& outer, const Value inner) {
    std::vector<int64_t> axes = inner.ints;
    int64_t kept = 0;
    for (int64_t axis = 0; axis < static_cast<int64_t>(at(inner.inputs[0]).shape.size()); ++axis) {
      if (std::ranges::count(inner.ints, axis) > 0) continue;
      if (std::ranges::count(outer.ints, kept++) > 0) axes.push_back(axis);
    }
    std::ranges::sort(axes);
    return moved(Op::sum, inner.inputs[0], outer.shape, axes);
  }

  const Program& from_;
  Program to_;
  std::unordered_multimap<size_t, ValueId> known_;  // by their hashes
  bool changed_ = false;
  bool differentiated_ = true;
  static constexpr int deepest = 64;
  int depth_ = 0;
};

}  // namespace

Program simplify(Program program) {
  // Each round can make new laws applicable. Every law shrinks the program or orders its values.
  for (int round = 0; round < 4; ++round) {
    Simplifier simplifier(program);
    program = simplifier.run();
    if (!simplifier.has_changed()) break;
  }
  return program;
}

}  // namespace tensor
