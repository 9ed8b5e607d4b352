#include "compiler/tensor/build/row_spaces.h"

#include <algorithm>

namespace tensor {
using semantics::DomainKind;

RowSpaces::RowSpaces(const ModelBasis& basis, Program& program, Translator& rows)
    : basis_(basis), program_(program), e_(program), rows_(rows) {
  rows.belong_to(*this, rows_axis);
}

Axes RowSpaces::add_axis(int64_t length) {
  lengths_.push_back(length);
  return Axes{1} << (lengths_.size() - 1);
}

int64_t RowSpaces::length(Axes axes) const {
  int64_t product = 1;
  for (size_t bit = 1; bit < lengths_.size(); ++bit)
    if ((axes >> bit & 1) != 0) product *= lengths_[bit];
  return product;
}

Shape RowSpaces::extents(Axes axes) const {
  Shape shape;
  if ((axes & rows_axis) != 0) shape.push_back(rows_.rows());
  for (size_t bit = 1; bit < lengths_.size(); ++bit)
    if ((axes >> bit & 1) != 0) shape.push_back({lengths_[bit], -1});
  return shape;
}

Shape RowSpaces::extents_of_drawn(Axes enumerated) {
  Shape shape = {lead(drawn_)};
  const Shape others = extents(enumerated & ~drawn_);
  shape.insert(shape.end(), others.begin(), others.end());
  return shape;
}

Extent RowSpaces::lead(Axes axes) { return at(axes).rows(); }

Translator& RowSpaces::at(Axes axes) {
  if (axes == 0 || axes == rows_axis) return rows_;
  auto& translator = others_[axes];
  if (translator) return *translator;
  Extent lead{length(axes), -1};
  if ((axes & rows_axis) != 0) {
    const int source = program_.batches[static_cast<size_t>(rows_.rows().batch)].source;
    lead = {1, static_cast<int>(program_.batches.size())};
    program_.batches.emplace_back(source, length(axes));
  }
  translator = std::make_unique<Translator>(rows_, *this, axes, lead);
  return *translator;
}

// The digits of the value's number, in base 2 or in the number of classes. The digit of the first element
// changes fastest. Adding 0.5 keeps the quotients away from whole numbers, where rounding would decide the
// result.
ValueId RowSpaces::table(semantics::VariableId id, int64_t values) {
  const semantics::Variable& variable = basis_.model[id];
  const int64_t elements = semantics::count(variable.shape);
  const bool category = variable.domain.kind == DomainKind::category;
  const auto base = static_cast<double>(category ? variable.domain.classes : 2);
  const ValueId number = e_.operation(Op::iota, {}, {{values, -1}, {1, -1}}, {0});
  const ValueId between = e_.pointwise(Op::add, number, 0.5);
  const auto quotient = [&](double by) {
    return e_.pointwise(Op::floor, e_.pointwise(Op::multiply, between, 1 / by));
  };
  std::vector<ValueId> columns;
  double stride = 1;
  for (int64_t i = 0; i < elements; ++i, stride *= base)
    columns.push_back(
        e_.subtract(quotient(stride), e_.pointwise(Op::multiply, quotient(stride * base), base)));
  ValueId digits = columns[0];
  if (elements > 1) digits = e_.operation(Op::concat, columns, {{values, -1}, {elements, -1}}, {1});
  Shape shape = {{values, -1}};
  for (const int64_t n : variable.tensor_shape()) shape.push_back({n, -1});
  if (!category) return e_.reshape(digits, shape);
  const Shape by_class = {{values, -1}, {variable.domain.classes, -1}, {elements, -1}};
  const ValueId classes = e_.operation(Op::iota, {}, by_class, {1});
  return e_.reshape(e_.pointwise(Op::equal, e_.broadcast(digits, by_class, {0, 2}), classes), shape);
}

void RowSpaces::bind(semantics::VariableId variable, ValueId value, Axes axes) {
  bound_[variable] = axes;
  rows_.forget(variable);
  for (auto& [other, translator] : others_) translator->forget(variable);
  at(axes).bind(variable, value);
}

Axes RowSpaces::axes_of(semantics::NodeId node) const {
  const auto at = static_cast<size_t>(node.index);
  Axes axes = basis_.dependencies.random[at] ? drawn_ : 0;
  for (const semantics::VariableId variable : basis_.dependencies.variables[at]) {
    const auto found = bound_.find(variable);
    axes |= found == bound_.end() ? rows_axis : found->second;
  }
  return basis_.graph[node].op == semantics::Op::column ? axes | rows_axis : axes;
}

ValueId RowSpaces::translate(semantics::NodeId node, Axes axes) {
  const Axes own = axes_of(node);
  Translator& translator = at(own);
  const ValueId value = translator.translate(node);
  return translator.leads(value) ? stretch(value, own, axes) : value;
}

void RowSpaces::forget_draws() {
  rows_.forget_draws();
  for (auto& [axes, translator] : others_) translator->forget_draws();
}

ValueId RowSpaces::stretch(ValueId value, Axes from, Axes to) {
  if (from == to) return value;
  const Shape old = e_.shape(value);
  const Shape own(old.begin() + 1, old.end());
  const auto followed = [&](Shape shape) {
    shape.insert(shape.end(), own.begin(), own.end());
    return shape;
  };
  std::vector<int64_t> map;
  int64_t place = 0;
  for (size_t bit = 0; bit < lengths_.size(); ++bit) {
    if ((from >> bit & 1) != 0) map.push_back(place);
    if ((to >> bit & 1) != 0) ++place;
  }
  for (size_t i = 0; i < own.size(); ++i) map.push_back(place++);
  const ValueId apart = e_.reshape(value, followed(extents(from)));
  const ValueId wide = e_.broadcast(apart, followed(extents(to)), map);
  return e_.reshape(wide, followed({lead(to)}));
}

}  // namespace tensor
