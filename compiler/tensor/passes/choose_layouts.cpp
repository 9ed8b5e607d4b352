#include "compiler/tensor/passes/choose_layouts.h"

#include <algorithm>
#include <optional>

#include "compiler/tensor/emit.h"

namespace tensor {
namespace {

std::vector<int64_t> inverse(const std::vector<int64_t>& axes) {
  std::vector<int64_t> result(axes.size());
  for (size_t i = 0; i < axes.size(); ++i) result[static_cast<size_t>(axes[i])] = static_cast<int64_t>(i);
  return result;
}

/// A group of neighbouring axes that a reshape turns into another group of neighbouring axes.
struct Block {
  size_t begin, end;        // of the axes before the reshape
  size_t to_begin, to_end;  // of the axes after it
};

/// The smallest blocks of a reshape. None if it changes the rows too, or if an axis of one element belongs to
/// no block.
std::optional<std::vector<Block>> blocks_of(const Shape& from, const Shape& to) {
  std::vector<Block> blocks;
  size_t i = 0, j = 0;
  if (has_rows(from) || has_rows(to)) {
    if (from.empty() || to.empty() || from[0] != to[0]) return {};
    blocks.push_back({0, 1, 0, 1});
    i = j = 1;
  }
  while (i < from.size() && j < to.size()) {
    Block block{i, i + 1, j, j + 1};
    int64_t a = from[i].size, b = to[j].size;
    while (a != b) {
      if (a < b) {
        if (block.end == from.size()) return {};
        a *= from[block.end++].size;
      } else {
        if (block.to_end == to.size()) return {};
        b *= to[block.to_end++].size;
      }
    }
    const Extent unit{1, -1};
    while (block.end < from.size() && from[block.end] == unit) ++block.end;
    while (block.to_end < to.size() && to[block.to_end] == unit) ++block.to_end;
    i = block.end;
    j = block.to_end;
    blocks.push_back(block);
  }
  if (i < from.size() || j < to.size()) return {};
  return blocks;
}

/// By value: whether a transposition reads it, directly or through pointwise operations, views,
/// concatenations and reductions.
std::vector<bool> transposed_later(const Program& program) {
  std::vector<bool> later(program.values.size(), false);
  for (size_t v = program.values.size(); v-- > 0;) {
    const Value& value = program.values[v];
    const semantics::OpGroup group = info(value.op).group;
    const bool passes_on = group == semantics::OpGroup::pointwise || group == semantics::OpGroup::shape ||
                           group == semantics::OpGroup::reduce;
    if (value.op != Op::transpose && !(passes_on && later[v])) continue;
    for (const ValueId input : value.inputs) later[static_cast<size_t>(input.index)] = true;
  }
  return later;
}

class Sinker {
 public:
  explicit Sinker(const Program& from) : from_(from), emit_(to_) {
    to_ = from;
    to_.values.clear();
  }

  Program run() {
    const std::vector<bool> later = transposed_later(from_);
    std::vector<ValueId> image;
    auto moved = [&](ValueId& id) { id = image[static_cast<size_t>(id.index)]; };
    for (Value value : from_.values) {
      for (ValueId& input : value.inputs) moved(input);
      image.push_back(sink(std::move(value), later[image.size()]));
    }
    for (Output& output : to_.outputs) moved(output.value);
    for (Term& term : to_.shared) moved(term.value), moved(term.seed);
    for (PlayerUpdate& update : to_.updates) {
      for (Term& term : update.terms) moved(term.value), moved(term.seed);
      for (Gradient& gradient : update.gradients) moved(gradient.value);
    }
    return std::move(to_);
  }

 private:
  ValueId sink(Value value, bool transposed_later) {
    const semantics::OpGroup group = info(value.op).group;
    // If nothing transposes a concatenation later, it is left as it is: its pieces are written in the layout
    // in which they are read.
    if (group == semantics::OpGroup::pointwise || (value.op == Op::concat && transposed_later))
      return sink_elements(std::move(value));
    if (!value.inputs.empty() && to_[value.inputs[0]].op == Op::transpose) {
      if (group == semantics::OpGroup::reduce) return sink_reduction(value);
      if (value.op == Op::reshape) return sink_reshape(std::move(value));
      if (value.op == Op::broadcast) return sink_broadcast(value);
      if (value.op == Op::slice) return sink_slice(std::move(value));
    }
    return to_.add(std::move(value));
  }

  /// Moves one transposition of all operands behind a pointwise operation or a concatenation.
  ValueId sink_elements(Value value) {
    std::vector<int64_t> axes;
    for (ValueId input : value.inputs) {
      if (to_[input].op != Op::transpose) continue;
      if (!axes.empty() && to_[input].ints != axes) return to_.add(std::move(value));
      axes = to_[input].ints;
    }
    if (axes.empty()) return to_.add(std::move(value));
    const auto inner = [&](const Shape& outer) {
      Shape shape(axes.size());
      for (size_t i = 0; i < axes.size(); ++i) shape[static_cast<size_t>(axes[i])] = outer[i];
      return shape;
    };
    for (ValueId& input : value.inputs) {
      const Value operand = to_[input];
      if (operand.op == Op::transpose) {
        input = operand.inputs[0];
      } else if (operand.op == Op::constant) {
        input = emit_.constant(operand.number, inner(operand.shape));
      } else {
        input = emit_.transpose(input, inverse(axes));
      }
    }
    value.shape = inner(value.shape);
    if (value.op == Op::concat) value.ints[0] = axes[static_cast<size_t>(value.ints[0])];
    return emit_.transpose(to_.add(std::move(value)), axes);
  }

  /// Moves a transposition behind a reshape, if the axes of each block stay together.
  ValueId sink_reshape(Value value) {
    const Value moved = to_[value.inputs[0]];
    auto blocks = blocks_of(moved.shape, value.shape);
    if (!blocks) return to_.add(std::move(value));
    for (const Block& block : *blocks) {
      for (size_t axis = block.begin; axis + 1 < block.end; ++axis)
        if (moved.ints[axis] + 1 != moved.ints[axis + 1]) return to_.add(std::move(value));
    }
    std::ranges::sort(*blocks, {}, [&](const Block& block) { return moved.ints[block.begin]; });
    std::vector<int64_t> axes(value.shape.size());
    Shape inner;
    for (const Block& block : *blocks) {
      for (size_t axis = block.to_begin; axis < block.to_end; ++axis) {
        axes[axis] = static_cast<int64_t>(inner.size());
        inner.push_back(value.shape[axis]);
      }
    }
    return emit_.transpose(emit_.reshape(moved.inputs[0], inner), axes);
  }

  /// Moves a transposition behind a broadcast. A new axis stays behind the axis before it.
  ValueId sink_broadcast(const Value& value) {
    const Value moved = to_[value.inputs[0]];
    std::vector<int64_t> place(value.shape.size(), -1);  // in the input: the axis, or for a new axis the one
                                                         // before it
    for (size_t i = 0; i < value.ints.size(); ++i) place[static_cast<size_t>(value.ints[i])] = moved.ints[i];
    std::vector<int64_t> order;  // the order of the axes in the inner result
    for (size_t axis = 0; axis < place.size(); ++axis) {
      if (axis > 0 && place[axis] < 0) place[axis] = place[axis - 1];
      order.push_back(static_cast<int64_t>(axis));
    }
    std::ranges::stable_sort(order, {}, [&](int64_t axis) { return place[static_cast<size_t>(axis)]; });
    const std::vector<int64_t> axes = inverse(order);
    Shape inner;
    for (const int64_t axis : order) inner.push_back(value.shape[static_cast<size_t>(axis)]);
    std::vector<int64_t> map(value.ints.size());
    for (size_t i = 0; i < map.size(); ++i)
      map[static_cast<size_t>(moved.ints[i])] = axes[static_cast<size_t>(value.ints[i])];
    return emit_.transpose(emit_.broadcast(moved.inputs[0], inner, map), axes);
  }

  ValueId sink_slice(Value value) {
    const Value moved = to_[value.inputs[0]];
    const Value outer = value;
    value.inputs = moved.inputs;
    for (size_t i = 0; i < moved.ints.size(); ++i) {
      const auto axis = static_cast<size_t>(moved.ints[i]);
      value.shape[axis] = outer.shape[i];
      value.ints[2 * axis] = outer.ints[2 * i];
      value.ints[2 * axis + 1] = outer.ints[2 * i + 1];
    }
    return emit_.transpose(to_.add(std::move(value)), moved.ints);
  }

  ValueId sink_reduction(const Value& value) {
    const Value moved = to_[value.inputs[0]];
    std::vector<int64_t> dropped, kept;
    for (size_t i = 0; i < moved.ints.size(); ++i) {
      const bool drop = std::ranges::count(value.ints, static_cast<int64_t>(i)) > 0;
      (drop ? dropped : kept).push_back(moved.ints[i]);
    }
    std::ranges::sort(dropped);
    std::vector<int64_t> order(kept.size());  // the places of the kept axes in the inner result
    for (size_t i = 0; i < kept.size(); ++i)
      order[i] = std::ranges::count_if(kept, [&](int64_t other) { return other < kept[i]; });
    const ValueId reduced = emit_.reduce(value.op, moved.inputs[0], dropped);
    return std::ranges::is_sorted(order) ? reduced : emit_.transpose(reduced, order);
  }

  const Program& from_;
  Program to_;
  Emit emit_;
};

}  // namespace

Program choose_layouts(Program program) { return Sinker(program).run(); }

}  // namespace tensor
