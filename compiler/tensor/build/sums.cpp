#include "compiler/tensor/build/sums.h"

#include <algorithm>

#include "compiler/game/elimination.h"
#include "compiler/semantics/learn/enumeration.h"

namespace tensor {

Table Sums::add(const semantics::Conditional& conditional, bool constant) {
  const int64_t values = *semantics::finite_values(model_[conditional.target]);
  const Axes axis = spaces_.add_axis(values);
  spaces_.bind(conditional.target, spaces_.table(conditional.target, values), axis);
  summed_.push_back({axis, values, {}});
  const Table log_probability = table(conditional.log_density);
  // A probability that is the same for all values, as in `Categorical(0)`, does not have the new axis yet.
  const Axes axes = log_probability.axes | axis;
  Table probability{e_.pointwise(Op::exp, stretch(log_probability, axes)), axes};
  if (constant) probability.value = e_.pointwise(Op::stop, probability.value);
  summed_.back().probability = probability;
  return log_probability;
}

Axes Sums::all() const {
  Axes axes = 0;
  for (const Summed& summed : summed_) axes |= summed.axis;
  return axes;
}

Table Sums::table(semantics::NodeId number) {
  const Axes axes = spaces_.drawn() | spaces_.axes_of(number);
  const ValueId value = spaces_.at(axes).evaluate_rows(number);
  const Axes enumerated = axes & all();
  return {e_.reshape(value, spaces_.extents_of_drawn(enumerated)), enumerated};
}

ValueId Sums::stretch(const Table& table, Axes axes) {
  if (table.axes == axes) return table.value;
  std::vector<int64_t> map = {0};
  int64_t place = 1;
  for (const Summed& summed : summed_) {
    if ((table.axes & summed.axis) != 0) map.push_back(place);
    if ((axes & summed.axis) != 0) ++place;
  }
  return e_.broadcast(table.value, spaces_.extents_of_drawn(axes), map);
}

Table Sums::combine(Op op, const Table& a, const Table& b) {
  const Axes axes = a.axes | b.axes;
  return {e_.pointwise(op, stretch(a, axes), stretch(b, axes)), axes};
}

Table Sums::apply(Op op, const Table& a, double b) { return {e_.pointwise(op, a.value, b), a.axes}; }

Table Sums::sum_out(const Table& table, Axes axes) {
  std::vector<int64_t> places;
  int64_t place = 1;
  for (const Summed& summed : summed_) {
    if ((table.axes & summed.axis) == 0) continue;
    if ((axes & summed.axis) != 0) places.push_back(place);
    ++place;
  }
  if (places.empty()) return table;
  return {e_.reduce(Op::sum, table.value, places), table.axes & ~axes};
}

/// The joint probability of the variables `kept`. The other variables on which it depends are summed out.
Table Sums::marginal(Axes kept) {
  if (const auto found = marginals_.find(kept); found != marginals_.end()) return found->second;
  Axes needed = kept;
  for (size_t i = summed_.size(); i-- > 0;)  // parents come before
    if ((needed & summed_[i].axis) != 0) needed |= summed_[i].probability.axes;
  std::vector<Table> factors;
  std::vector<std::set<int>> scopes;
  std::vector<int64_t> lengths;
  std::set<int> dropped;
  for (size_t i = 0; i < summed_.size(); ++i) {
    lengths.push_back(summed_[i].values);
    if ((needed & summed_[i].axis) == 0) continue;
    if ((kept & summed_[i].axis) == 0) dropped.insert(static_cast<int>(i));
    factors.push_back(summed_[i].probability);
    std::set<int>& scope = scopes.emplace_back();
    for (size_t j = 0; j < summed_.size(); ++j)
      if ((factors.back().axes & summed_[j].axis) != 0) scope.insert(static_cast<int>(j));
  }
  const auto product_of = [&](Axes axes) {
    std::optional<Table> product;
    for (const Table& factor : factors)
      if ((factor.axes & axes) != 0) product = product ? combine(Op::multiply, *product, factor) : factor;
    std::erase_if(factors, [&](const Table& factor) { return (factor.axes & axes) != 0; });
    return *product;
  };
  for (const int next : game::eliminate(scopes, dropped, lengths).order) {
    const Axes axis = summed_[static_cast<size_t>(next)].axis;
    factors.push_back(sum_out(product_of(axis), axis));
  }
  const Table result = product_of(~Axes{0});
  marginals_[kept] = result;
  return result;
}

ValueId Sums::mean(const Table& table) {
  if (table.axes == 0) return table.value;
  return sum_out(combine(Op::multiply, marginal(table.axes), table), table.axes).value;
}

ValueId Sums::log_sum_exp(const Table& table) {
  if (summed_.empty()) return table.value;
  std::vector<int64_t> places;
  for (size_t i = 0; i < summed_.size(); ++i) places.push_back(static_cast<int64_t>(i) + 1);
  const ValueId values = whole(table);
  std::vector<int64_t> map = {0};
  const ValueId top = e_.pointwise(Op::stop, e_.reduce(Op::max, values, places));
  const ValueId above = e_.subtract(values, e_.broadcast(top, e_.shape(values), map));
  const ValueId sum = e_.reduce(Op::sum, e_.pointwise(Op::exp, above), places);
  return e_.add(top, e_.pointwise(Op::log, sum));
}

}  // namespace tensor
