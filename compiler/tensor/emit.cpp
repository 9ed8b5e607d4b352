#include "compiler/tensor/emit.h"

#include <algorithm>

namespace tensor {

ValueId Emit::constant(double number, Shape shape) {
  Value value;
  value.op = Op::constant;
  value.shape = std::move(shape);
  value.number = number;
  return program_.add(std::move(value));
}

ValueId Emit::operation(Op op, std::vector<ValueId> inputs, Shape shape, std::vector<int64_t> ints) {
  Value value;
  value.op = op;
  value.inputs = std::move(inputs);
  value.shape = std::move(shape);
  value.ints = std::move(ints);
  return program_.add(std::move(value));
}

ValueId Emit::pointwise(Op op, std::vector<ValueId> inputs) {
  Shape widest;
  for (ValueId input : inputs) {
    const Shape& candidate = shape(input);
    if (candidate.size() > widest.size()) widest = candidate;
  }
  for (ValueId& input : inputs) input = stretch(input, widest);
  return operation(op, std::move(inputs), widest);
}

ValueId Emit::reshape(ValueId a, Shape to) {
  if (shape(a) == to) return a;
  return operation(Op::reshape, {a}, std::move(to));
}

ValueId Emit::transpose(ValueId a, std::vector<int64_t> axes) {
  Shape to;
  for (int64_t axis : axes) to.push_back(shape(a)[static_cast<size_t>(axis)]);
  return operation(Op::transpose, {a}, std::move(to), std::move(axes));
}

ValueId Emit::broadcast(ValueId a, Shape to, std::vector<int64_t> map) {
  return operation(Op::broadcast, {a}, std::move(to), std::move(map));
}

ValueId Emit::stretch(ValueId a, const Shape& to) {
  if (shape(a) == to) return a;
  std::vector<int64_t> map;
  const size_t lead = to.size() - shape(a).size();
  // An input of shape [rows] has one number for each row: it is stretched over all other axes. Any other
  // input keeps its trailing axes.
  if (shape(a).size() == 1 && has_rows(shape(a))) return broadcast(a, to, {0});
  for (size_t i = 0; i < shape(a).size(); ++i) map.push_back(static_cast<int64_t>(lead + i));
  return broadcast(a, to, std::move(map));
}

ValueId Emit::reduce(Op op, ValueId a, std::vector<int64_t> axes) {
  Shape to;
  for (size_t i = 0; i < shape(a).size(); ++i) {
    if (std::ranges::count(axes, static_cast<int64_t>(i)) == 0) to.push_back(shape(a)[i]);
  }
  return operation(op, {a}, std::move(to), std::move(axes));
}

}  // namespace tensor
