#include "compiler/tensor/passes/choose_layouts.h"

#include <algorithm>

#include "compiler/tensor/emit.h"

namespace tensor {
namespace {

std::vector<int64_t> inverse(const std::vector<int64_t>& axes) {
  std::vector<int64_t> result(axes.size());
  for (size_t i = 0; i < axes.size(); ++i) result[static_cast<size_t>(axes[i])] = static_cast<int64_t>(i);
  return result;
}

class Sinker {
 public:
  explicit Sinker(const Program& from) : from_(from), emit_(to_) {
    to_ = from;
    to_.values.clear();
  }

  Program run() {
    std::vector<ValueId> image;
    auto moved = [&](ValueId& id) { id = image[static_cast<size_t>(id.index)]; };
    for (Value value : from_.values) {
      for (ValueId& input : value.inputs) moved(input);
      image.push_back(sink(std::move(value)));
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
  ValueId sink(Value value) {
    const semantics::OpGroup group = info(value.op).group;
    if (group == semantics::OpGroup::reduce && to_[value.inputs[0]].op == Op::transpose)
      return sink_reduction(value);
    if (group != semantics::OpGroup::pointwise) return to_.add(std::move(value));
    std::vector<int64_t> axes;
    for (ValueId input : value.inputs) {
      if (to_[input].op != Op::transpose) continue;
      if (!axes.empty() && to_[input].ints != axes) return to_.add(std::move(value));
      axes = to_[input].ints;
    }
    if (axes.empty()) return to_.add(std::move(value));
    Shape inner(axes.size());
    for (size_t i = 0; i < axes.size(); ++i) inner[static_cast<size_t>(axes[i])] = value.shape[i];
    for (ValueId& input : value.inputs) {
      const Value operand = to_[input];
      if (operand.op == Op::transpose) {
        input = operand.inputs[0];
      } else if (operand.op == Op::constant) {
        input = emit_.constant(operand.number, inner);
      } else {
        input = emit_.transpose(input, inverse(axes));
      }
    }
    value.shape = inner;
    return emit_.transpose(to_.add(std::move(value)), axes);
  }

  ValueId sink_reduction(const Value& value) {
    const Value moved = to_[value.inputs[0]];
    std::vector<int64_t> dropped, kept;
    for (size_t i = 0; i < moved.ints.size(); ++i) {
      const bool drop = std::ranges::count(value.ints, static_cast<int64_t>(i)) > 0;
      (drop ? dropped : kept).push_back(moved.ints[i]);
    }
    std::ranges::sort(dropped);
    std::vector<int64_t> order(kept.size());  // of the kept axes in the inner result
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
