#include "compiler/tensor/build/translate.h"

#include <algorithm>
#include <stdexcept>

#include "compiler/semantics/graph/dependence.h"
#include "compiler/tensor/build/row_spaces.h"

namespace tensor {

Dependencies::Dependencies(const semantics::Graph& graph) {
  for (const semantics::Node& node : graph.nodes) {
    std::set<semantics::VariableId> below;
    bool draws = semantics::info(node.op).group == semantics::OpGroup::random;
    if (node.op == semantics::Op::variable) below.insert({node.index});
    for (semantics::NodeId input : node.inputs) {
      const auto& others = variables[static_cast<size_t>(input.index)];
      below.insert(others.begin(), others.end());
      draws = draws || random[static_cast<size_t>(input.index)];
    }
    variables.emplace_back(below.begin(), below.end());
    random.push_back(draws);
  }
}

Translator::Translator(const ModelBasis& basis, Program& program, int batch, int source, uint32_t& next_site)
    : basis_(basis),
      program_(program),
      emit_(program),
      lead_{1, batch},
      source_(source),
      next_site_(next_site) {}

Translator::Translator(Translator& outer, int64_t times)
    : Translator(outer.basis_, outer.program_, static_cast<int>(outer.program_.batches.size()), outer.source_,
                 outer.next_site_) {
  program_.batches.emplace_back(program_.batches[static_cast<size_t>(outer.lead_.batch)].source, times);
  outer_ = &outer;
  times_ = times;
}

Translator::Translator(const Translator& like, RowSpaces& spaces, Axes axes, Extent lead)
    : Translator(like.basis_, like.program_, -1, like.source_, like.next_site_) {
  lead_ = lead;
  belong_to(spaces, axes);
}

void Translator::belong_to(RowSpaces& spaces, Axes axes) {
  spaces_ = &spaces;
  axes_ = axes;
}

void Translator::bind(semantics::VariableId variable, ValueId value) {
  // When a variable is bound for the first time, no value depends on it yet, except in linked translators.
  const bool fresh = variables_.insert_or_assign(variable, value).second;
  if (lead_.batch < 0) led_.insert(value);
  if (!fresh || outer_ != nullptr || spaces_ != nullptr) forget(variable);
}

void Translator::forget(semantics::VariableId variable) {
  const auto nodes = known_by_.find(variable);
  if (nodes == known_by_.end()) return;
  for (const int32_t node : nodes->second) known_.erase(node);
  known_by_.erase(nodes);
}

void Translator::forget_draws() {
  for (const int32_t drawn : known_draws_) known_.erase(drawn);
  known_draws_.clear();
}

ValueId Translator::evaluate(semantics::NodeId node) {
  const ValueId result = translate(node);
  if (spaces_ != nullptr)
    spaces_->forget_draws();
  else
    forget_draws();
  return result;
}

bool Translator::leads(ValueId value) const {
  return lead_.batch >= 0 ? has_rows(emit_.shape(value)) : led_.contains(value);
}

ValueId Translator::evaluate_rows(semantics::NodeId node) {
  const ValueId value = evaluate(node);
  return emit_.stretch(value, with_rows(basis_.graph[node].shape));
}

ValueId Translator::draw(Op op, Shape shape) {
  Value value;
  value.op = op;
  value.shape = std::move(shape);
  value.site = next_site_++;
  return program_.add(std::move(value));
}

Shape Translator::shaped_as(const semantics::Shape& shape, bool rows) const {
  Shape result;
  if (rows) result.push_back(this->rows());
  for (int64_t n : shape) result.push_back({n, -1});
  return result;
}
Shape Translator::with_rows(const semantics::Shape& shape) const { return shaped_as(shape, true); }

void Translator::know(semantics::NodeId node, ValueId value) {
  known_[node.index] = value;
  if (basis_.dependencies.random[static_cast<size_t>(node.index)]) known_draws_.push_back(node.index);
  for (const semantics::VariableId variable : basis_.dependencies.variables[static_cast<size_t>(node.index)])
    known_by_[variable].push_back(node.index);
}

// A graph can be as deep as the file is long, so recursion could overflow the stack. A node waits on an
// explicit stack until its inputs are known.
ValueId Translator::translate(semantics::NodeId root) {
  std::vector<semantics::NodeId> waiting = {root};
  while (!waiting.empty()) {
    const semantics::NodeId id = waiting.back();
    if (!known_.contains(id.index)) {
      if (const auto elsewhere = translated_elsewhere(id)) {
        know(id, *elsewhere);
      } else {
        const semantics::Node& node = basis_.graph[id];
        const size_t before = waiting.size();
        for (auto input = node.inputs.rbegin(); input != node.inputs.rend(); ++input)
          if (!known_.contains(input->index)) waiting.push_back(*input);
        if (waiting.size() > before) continue;
        const ValueId result = compute(node);
        if (lead_.batch < 0 && leads_on(node)) led_.insert(result);
        know(id, result);
      }
    }
    waiting.pop_back();
  }
  return known_.at(root.index);
}

/// The value of a node that another translator computes, or that is computed from parts instead of from its
/// inputs.
std::optional<ValueId> Translator::translated_elsewhere(semantics::NodeId id) {
  const semantics::Node& node = basis_.graph[id];
  if (spaces_ != nullptr && &spaces_->at(spaces_->axes_of(id)) != this) {
    const ValueId result = spaces_->translate(id, axes_);
    if (lead_.batch < 0 && spaces_->axes_of(id) != 0) led_.insert(result);
    return result;
  }
  if (belongs_outside(id)) {
    const ValueId result = repeat(outer_->translate(id));
    if (lead_.batch < 0 && leads_on(node)) led_.insert(result);
    return result;
  }
  if (node.op != semantics::Op::dense) return {};
  const auto sum = dense_of_parts(node);
  if (sum && lead_.batch < 0 && leads_on(node)) led_.insert(*sum);
  return sum;
}

bool Translator::leads_on(const semantics::Node& node) {
  return node.op == semantics::Op::variable ||
         std::ranges::any_of(node.inputs, [&](auto input) { return leads(translate(input)); });
}

bool Translator::belongs_outside(semantics::NodeId id) const {
  return outer_ != nullptr && !basis_.dependencies.random[static_cast<size_t>(id.index)] &&
         std::ranges::none_of(basis_.dependencies.variables[static_cast<size_t>(id.index)],
                              [&](semantics::VariableId variable) { return variables_.contains(variable); });
}

/// Repeats every row `times_` times: [rows, ...] becomes [rows, times, ...], with the same memory layout as
/// [rows times, ...].
ValueId Translator::repeat(ValueId value) {
  const Shape from = emit_.shape(value);
  if (!has_rows(from)) return value;
  Shape between = from, to = from;
  between.insert(between.begin() + 1, {times_, -1});
  to[0] = rows();
  std::vector<int64_t> map = {0};
  for (size_t axis = 1; axis < from.size(); ++axis) map.push_back(static_cast<int64_t>(axis) + 1);
  return emit_.reshape(emit_.broadcast(value, between, map), to);
}

ValueId Translator::compute(const semantics::Node& node) {
  Value value;
  value.op = static_cast<Op>(node.op);
  switch (node.op) {
    case semantics::Op::variable:
      return variables_.at({node.index});
    case semantics::Op::constant:
      return emit_.constant(node.number, shaped_as(node.shape, false));
    case semantics::Op::iota:
      return emit_.operation(Op::iota, {}, shaped_as(node.shape, false), node.ints);
    case semantics::Op::parameter:
      value.index = node.index;
      value.shape = shaped_as(node.shape, false);
      value.name = basis_.model[semantics::ParameterId{node.index}].name;
      if (semantics::is_average(node)) {
        value.index += static_cast<int>(basis_.model.parameters.size());
        value.name = "average of " + value.name;
      }
      return program_.add(std::move(value));
    case semantics::Op::column:
      value.index = node.index;
      value.shape = with_rows(node.shape);
      value.ints = {source_};
      return program_.add(std::move(value));
    default:
      break;
  }
  std::vector<ValueId> inputs;
  for (semantics::NodeId input : node.inputs) inputs.push_back(known_.at(input.index));
  const bool rows = std::ranges::any_of(inputs, [&](ValueId input) { return leads(input); });
  switch (semantics::info(node.op).group) {
    case semantics::OpGroup::pointwise:
      return pointwise(node, std::move(inputs));
    case semantics::OpGroup::random:
      value.shape = with_rows(node.shape);
      for (ValueId input : inputs) value.inputs.push_back(emit_.stretch(input, value.shape));
      value.site = next_site_++;
      return program_.add(std::move(value));
    case semantics::OpGroup::reduce: {
      std::vector<int64_t> axes = node.ints;
      for (int64_t& axis : axes) axis += rows ? 1 : 0;
      return emit_.reduce(value.op, inputs[0], axes);
    }
    case semantics::OpGroup::shape:
      if (node.op != semantics::Op::concat) return moved(node, inputs[0]);
      for (size_t i = 0; rows && i < inputs.size(); ++i)
        inputs[i] = emit_.stretch(inputs[i], with_rows(basis_.graph[node.inputs[i]].shape));
      return emit_.operation(Op::concat, inputs, shaped_as(node.shape, rows),
                             {node.ints[0] + (rows ? 1 : 0)});
    default:
      break;
  }
  switch (node.op) {
    case semantics::Op::dense:
      return dense(inputs[0], inputs[1], node.shape);
    case semantics::Op::matmul:
      return matmul(inputs[0], inputs[1]);
    case semantics::Op::conv:
      return conv(node, inputs[0], inputs[1]);
    case semantics::Op::deconv:
      return deconv(node, inputs[0], inputs[1]);
    default:
      throw std::logic_error(std::string("no translation of ") + semantics::info(node.op).name);
  }
}

ValueId Translator::pointwise(const semantics::Node& node, std::vector<ValueId> inputs) {
  // Without a batch class, shapes do not show which inputs have this translator's axes in front: stretch the
  // others here.
  if (lead_.batch < 0 && std::ranges::any_of(inputs, [&](ValueId input) { return leads(input); })) {
    for (ValueId& input : inputs)
      if (!leads(input)) input = emit_.stretch(input, with_rows(node.shape));
  }
  return emit_.pointwise(static_cast<Op>(node.op), std::move(inputs));
}

ValueId Translator::moved(const semantics::Node& node, ValueId input) {
  const bool rows = leads(input);
  const Shape shape = shaped_as(node.shape, rows);
  const int64_t lead = rows ? 1 : 0;
  std::vector<int64_t> ints;
  if (rows) ints.push_back(0);
  switch (node.op) {
    case semantics::Op::reshape:
      return emit_.reshape(input, shape);
    case semantics::Op::transpose:
      for (int64_t axis : node.ints) ints.push_back(axis + lead);
      return emit_.transpose(input, ints);
    case semantics::Op::broadcast:
      for (size_t i = static_cast<size_t>(lead); i < emit_.shape(input).size(); ++i)
        ints.push_back(static_cast<int64_t>(i));
      return emit_.broadcast(input, shape, ints);
    default:  // slice
      // The end of the axis in front. A batch class is never sliced, and has the end 0.
      if (rows) ints.push_back(lead_.batch < 0 ? lead_.size : 0);
      ints.insert(ints.end(), node.ints.begin(), node.ints.end());
      return emit_.operation(Op::slice, {input}, shape, ints);
  }
}

ValueId Translator::dense(ValueId x, ValueId weights, const semantics::Shape& shape) {
  const bool rows = leads(x);
  const Extent lead = rows ? this->rows() : Extent{1, -1};
  const ValueId flat = emit_.reshape(x, {lead, emit_.shape(weights)[1]});
  const ValueId y = emit_.operation(Op::dense, {flat, weights}, {lead, emit_.shape(weights)[0]});
  return emit_.reshape(y, shaped_as(shape, rows));
}

/// The nodes whose elements, one after the other, form the vector `node`.
std::vector<semantics::NodeId> Translator::parts_of_vector(semantics::NodeId id) const {
  const semantics::Node& node = basis_.graph[id];
  if (node.op == semantics::Op::reshape) return parts_of_vector(node.inputs[0]);
  if (node.op != semantics::Op::concat || node.ints[0] != 0) return {id};
  std::vector<semantics::NodeId> parts;
  for (const semantics::NodeId input : node.inputs) {
    const auto below = parts_of_vector(input);
    parts.insert(parts.end(), below.begin(), below.end());
  }
  return parts;
}

/// W concat(a, b) = W_a a + W_b b. If a and b have different axes, each product is computed with its own axes
/// only. None if all parts have the same axes.
std::optional<ValueId> Translator::dense_of_parts(const semantics::Node& node) {
  if (spaces_ == nullptr || spaces_->axes_of(node.inputs[1]) != 0) return {};
  const std::vector<semantics::NodeId> parts = parts_of_vector(node.inputs[0]);
  const auto differs = [&](semantics::NodeId part) {
    return spaces_->axes_of(part) != spaces_->axes_of(parts[0]);
  };
  if (std::ranges::none_of(parts, differs)) return {};
  const ValueId weights = translate(node.inputs[1]);
  const Extent outputs = emit_.shape(weights)[0];
  ValueId sum;
  int64_t begin = 0;
  for (size_t i = 0; i < parts.size();) {
    const Axes axes = spaces_->axes_of(parts[i]);
    Translator& own = spaces_->at(axes);
    const Extent lead = axes == 0 ? Extent{1, -1} : own.rows();
    std::vector<ValueId> pieces;
    int64_t length = 0;
    for (; i < parts.size() && spaces_->axes_of(parts[i]) == axes; ++i) {
      const int64_t size = semantics::count(basis_.graph[parts[i]].shape);
      pieces.push_back(emit_.reshape(own.translate(parts[i]), {lead, {size, -1}}));
      length += size;
    }
    const ValueId x =
        pieces.size() == 1 ? pieces[0] : emit_.operation(Op::concat, pieces, {lead, {length, -1}}, {1});
    const ValueId columns = emit_.operation(Op::slice, {weights}, {outputs, {length, -1}},
                                            {0, outputs.size, begin, begin + length});
    begin += length;
    const ValueId product = emit_.operation(Op::dense, {x, columns}, {lead, outputs});
    const ValueId stretched = axes == 0 ? emit_.stretch(emit_.reshape(product, {outputs}), {lead_, outputs})
                                        : spaces_->stretch(product, axes, axes_);
    sum = sum ? emit_.add(sum, stretched) : stretched;
  }
  return emit_.reshape(sum, with_rows(node.shape));
}

// A small matrix product within each row: the sum over k of a[m, k] b[k, n]. Loops compute it, not a library.
ValueId Translator::matmul(ValueId a, ValueId b) {
  const Shape sa = emit_.shape(a), sb = emit_.shape(b);
  const bool rows = leads(a) || leads(b);
  Shape space;
  if (rows) space.push_back(this->rows());
  const auto lead = static_cast<int64_t>(space.size());
  for (const Extent& extent : {sa[sa.size() - 2], sb.back(), sa.back()}) space.push_back(extent);  // m, n, k
  auto map = [&](ValueId operand, int64_t first, int64_t second) {
    std::vector<int64_t> axes;
    if (leads(operand)) axes.push_back(0);
    axes.push_back(lead + first);
    axes.push_back(lead + second);
    return axes;
  };
  const ValueId product =
      emit_.multiply(emit_.broadcast(a, space, map(a, 0, 2)), emit_.broadcast(b, space, map(b, 2, 1)));
  return emit_.reduce(Op::sum, product, {lead + 2});
}

namespace {
const std::vector<int64_t> channels_last = {0, 2, 3, 1};
const std::vector<int64_t> channels_first = {0, 3, 1, 2};
}  // namespace

ValueId Translator::conv(const semantics::Node& node, ValueId x, ValueId weights) {
  const Shape from = emit_.shape(x), kernel = emit_.shape(weights);
  const bool rows = leads(x);
  const Extent lead = rows ? this->rows() : Extent{1, -1};
  const Extent c = kernel[1], h = from[from.size() - 2], w = from.back();
  if (node.ints[2] == 0 && node.ints[3] == 0 && kernel[2] == h && kernel[3] == w) {
    const ValueId flat = emit_.reshape(weights, {kernel[0], {row_elements(kernel) / kernel[0].size, -1}});
    return dense(x, flat, node.shape);
  }
  const ValueId nhwc = emit_.transpose(emit_.reshape(x, {lead, c, h, w}), channels_last);
  const Shape to = {lead, {node.shape[1], -1}, {node.shape[2], -1}, kernel[0]};
  const ValueId y = emit_.operation(Op::conv, {nhwc, weights}, to, node.ints);
  return emit_.reshape(emit_.transpose(y, channels_first), shaped_as(node.shape, rows));
}

// A transposed convolution is the backward-data operation of the convolution with input and output swapped.
// Its weights [c, o, kh, kw] are that convolution's [out, in, kh, kw].
ValueId Translator::deconv(const semantics::Node& node, ValueId x, ValueId weights) {
  const Shape from = emit_.shape(x), kernel = emit_.shape(weights);
  const bool rows = leads(x);
  const Extent lead = rows ? this->rows() : Extent{1, -1};
  const Extent c = kernel[0], h = from[from.size() - 2], w = from.back();
  if (h == Extent{1, -1} && w == h && node.ints[2] == 0 && node.ints[3] == 0) {
    const Extent spread = {row_elements(kernel) / c.size, -1};
    const ValueId flat = emit_.reshape(weights, {c, spread});
    const ValueId y = emit_.operation(Op::dense_data, {emit_.reshape(x, {lead, c}), flat}, {lead, spread});
    return emit_.reshape(y, shaped_as(node.shape, rows));
  }
  const ValueId nhwc = emit_.transpose(emit_.reshape(x, {lead, c, h, w}), channels_last);
  const Shape to = {lead, {node.shape[1], -1}, {node.shape[2], -1}, kernel[1]};
  const ValueId y = emit_.operation(Op::conv_data, {nhwc, weights}, to, node.ints);
  return emit_.reshape(emit_.transpose(y, channels_first), shaped_as(node.shape, rows));
}

}  // namespace tensor
