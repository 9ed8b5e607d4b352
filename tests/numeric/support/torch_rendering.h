// In: a tensor program as it was built, before any pass, and its inputs. Out: its gradients by LibTorch's
// autograd, in double precision. Every operation is LibTorch's, except random draws, which are vaec's.
#pragma once
// clang-format off
#include <ATen/core/ivalue.h>  // before all that keeps vectors of it: clang wants it complete
#include <ATen/ATen.h>
// clang-format on
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "compiler/tensor/interpret.h"
#include "compiler/tensor/philox.h"
#include "compiler/tensor/program.h"
#include "runtime/abi.h"

class TorchRendering {
 public:
  TorchRendering(const tensor::Program& program, const tensor::Inputs& inputs)
      : program_(program), inputs_(inputs) {
    for (const tensor::ParameterPlace& place : program.parameters) {
      const auto& flat = inputs.parameters[static_cast<size_t>(place.player)];
      parameters_.push_back(filled(place.shape, flat.data() + place.offset).set_requires_grad(true));
    }
    const std::vector<bool> needed = needed_values();
    values_.resize(program.values.size());
    for (size_t i = 0; i < values_.size(); ++i)
      if (needed[i]) values_[i] = evaluate(program.values[i]);
  }

  /// The gradients of what the players maximize, by player. The layout is that of the parameters, with 0 in
  /// the gaps.
  std::map<int, tensor::Numbers> gradients() const {
    std::map<int, tensor::Numbers> result;
    for (const tensor::PlayerUpdate& update : program_.updates) {
      tensor::Numbers& flat = result[update.player];
      flat.assign(static_cast<size_t>(program_.parameters.elements_of(update.player)), 0.0);
      const std::vector<tensor::Term>& terms = program_.shared.empty() ? update.terms : program_.shared;
      at::Tensor utility = at::zeros({}, at::kDouble);
      for (const tensor::Term& term : terms)
        utility = utility + (at(term.seed).detach() * at(term.value)).sum();
      if (!utility.requires_grad()) continue;
      const auto found = torch::autograd::grad({utility}, parameters_, {}, true, false, true);
      for (size_t p = 0; p < parameters_.size(); ++p) {
        const tensor::ParameterPlace& place = program_.parameters[p];
        if (place.player != update.player || !found[p].defined()) continue;
        const at::Tensor gradient = found[p].contiguous();
        std::copy_n(gradient.data_ptr<double>(), gradient.numel(), flat.begin() + place.offset);
      }
    }
    return result;
  }

  std::map<std::string, tensor::Numbers> outputs() const {
    std::map<std::string, tensor::Numbers> result;
    for (const tensor::Output& output : program_.outputs) {
      const at::Tensor whole = at(output.value).detach().contiguous();
      result[output.name].assign(whole.data_ptr<double>(), whole.data_ptr<double>() + whole.numel());
    }
    return result;
  }

 private:
  using Op = tensor::Op;
  using Sizes = std::vector<int64_t>;

  static at::Tensor filled(const Sizes& sizes, const double* numbers) {
    at::Tensor result = at::empty(sizes, at::kDouble);
    std::copy_n(numbers, result.numel(), result.data_ptr<double>());
    return result;
  }
  static at::Tensor number(const at::Tensor& truth) { return truth.to(at::kDouble); }

  /// The values that outputs and terms depend on. A column that none of them needs was not gathered.
  std::vector<bool> needed_values() const {
    std::vector<bool> needed(program_.values.size(), false);
    const auto need = [&](tensor::ValueId id) { needed[static_cast<size_t>(id.index)] = true; };
    for (const tensor::Output& output : program_.outputs) need(output.value);
    const auto need_terms = [&](const std::vector<tensor::Term>& terms) {
      for (const tensor::Term& term : terms) need(term.value), need(term.seed);
    };
    need_terms(program_.shared);
    for (const tensor::PlayerUpdate& update : program_.updates) need_terms(update.terms);
    for (size_t i = needed.size(); i-- > 0;)
      if (needed[i]) std::ranges::for_each(program_.values[i].inputs, need);
    return needed;
  }

  const at::Tensor& at(tensor::ValueId id) const { return values_[static_cast<size_t>(id.index)]; }
  Sizes sizes(const tensor::Shape& shape) const {
    Sizes result;
    for (const tensor::Extent& extent : shape) result.push_back(tensor::count({extent}, inputs_.rows));
    return result;
  }

  at::Tensor evaluate(const tensor::Value& value) const {
    using semantics::OpGroup;
    std::vector<at::Tensor> inputs;
    for (const tensor::ValueId input : value.inputs) inputs.push_back(at(input));
    switch (tensor::info(value.op).group) {
      case OpGroup::leaf:
        return leaf(value);
      case OpGroup::pointwise:
        return pointwise(value.op, inputs);
      case OpGroup::random:
        return draw(value, inputs);
      case OpGroup::shape:
        return shaped(value, inputs);
      case OpGroup::reduce:
        return reduced(value, inputs[0]);
      case OpGroup::library:
        if (value.op == Op::sum_ranks) return inputs[0];  // there is one rank
        return library_operation(value, inputs[0], inputs[1]);
    }
    throw std::logic_error("no such group of operations");
  }

  at::Tensor leaf(const tensor::Value& value) const {
    const Sizes extents = sizes(value.shape);
    switch (value.op) {
      case Op::constant:
        return at::full(extents, value.number, at::kDouble);
      case Op::iota: {
        const auto axis = static_cast<size_t>(value.ints[0]);
        Sizes line(extents.size(), 1);
        line[axis] = extents[axis];
        return at::arange(extents[axis], at::kDouble).reshape(line).expand(extents);
      }
      case Op::parameter:
        return parameters_[static_cast<size_t>(value.index)];
      case Op::column:
        return filled(extents, inputs_.columns.at({value.index, static_cast<int>(value.ints[0])}).data());
      case Op::input:
        return filled(extents, inputs_.values.at(value.name).data());
      case Op::coefficient:
        return at::full({}, inputs_.coefficients[static_cast<size_t>(value.index)], at::kDouble);
      default:
        throw std::logic_error("not a leaf of programs");
    }
  }

  static at::Tensor pointwise(Op op, const std::vector<at::Tensor>& x) {
    const at::Tensor &a = x[0], &b = x[x.size() > 1 ? 1 : 0], &c = x[x.size() > 2 ? 2 : 0];
    switch (op) {
#define ELEMENTWISE(name, inputs, notation, cost, value, torch, ...) \
  case Op::name:                                                     \
    return torch;
#include "runtime/schema/elementwise.def"
      default:
        throw std::logic_error("not a pointwise operation");
    }
  }

  at::Tensor draw(const tensor::Value& value, const std::vector<at::Tensor>& inputs) const {
    at::Tensor result = at::empty(sizes(value.shape), at::kDouble);
    std::vector<at::Tensor> parameters;
    for (const at::Tensor& input : inputs) parameters.push_back(input.detach().contiguous());
    for (int64_t i = 0; i < result.numel(); ++i) {
      double of[2] = {0, 0};
      for (size_t k = 0; k < parameters.size(); ++k) of[k] = parameters[k].data_ptr<double>()[i];
      result.data_ptr<double>()[i] = draw_element(value, static_cast<uint64_t>(i), of[0], of[1]);
    }
    return result;
  }

  /// Draws by rejection are the runtime's. The interpreter's follow the same law, but are different numbers.
  double draw_element(const tensor::Value& value, uint64_t element, double a, double b) const {
    const auto [seed, step] = std::pair(inputs_.seed, inputs_.step);
    const auto first = static_cast<float>(a), second = static_cast<float>(b);
    switch (value.op) {
      case Op::gamma_log:
        return vaert_sample_gamma_log(seed, step, value.site, element, first);
      case Op::beta:
        return vaert_sample_beta(seed, step, value.site, element, first, second);
      case Op::poisson:
        return vaert_sample_poisson(seed, step, value.site, element, first);
      case Op::binomial:
        return vaert_sample_binomial(seed, step, value.site, element, first, second);
      case Op::von_mises:
        return vaert_sample_von_mises(seed, step, value.site, element, first, second);
      default:
        return tensor::draw(static_cast<semantics::Op>(value.op), {seed, step, value.site, element}, a, b);
    }
  }

  at::Tensor shaped(const tensor::Value& value, const std::vector<at::Tensor>& x) const {
    const Sizes extents = sizes(value.shape);
    if (value.op == Op::reshape) return x[0].reshape(extents);
    if (value.op == Op::concat) return at::cat(x, value.ints[0]);
    if (value.op == Op::transpose) return x[0].permute(value.ints);
    const tensor::Shape& from = program_[value.inputs[0]].shape;
    if (value.op == Op::broadcast) {
      Sizes order(from.size()), stretched(extents.size(), 1);
      std::iota(order.begin(), order.end(), 0);
      std::ranges::sort(order, {}, [&](int64_t axis) { return value.ints[static_cast<size_t>(axis)]; });
      for (size_t axis = 0; axis < from.size(); ++axis)
        stretched[static_cast<size_t>(value.ints[axis])] = x[0].size(static_cast<int64_t>(axis));
      return x[0].permute(order).reshape(stretched).expand(extents);
    }
    at::Tensor part = x[0];
    for (size_t axis = 0; axis < from.size(); ++axis)
      if (from[axis].batch < 0)
        part = part.narrow(static_cast<int64_t>(axis), value.ints[2 * axis], extents[axis]);
    return part;
  }

  static at::Tensor reduced(const tensor::Value& value, const at::Tensor& x) {
    if (value.ints.empty()) return x;
    if (value.op == Op::sum) return at::sum(x, value.ints);
    return value.op == Op::max ? at::amax(x, value.ints) : at::amin(x, value.ints);
  }

  at::Tensor library_operation(const tensor::Value& value, const at::Tensor& a, const at::Tensor& b) const {
    const Sizes ends = sizes(value.shape);
    switch (value.op) {
      case Op::dense:
        return at::matmul(a, b.t());
      case Op::dense_data:
        return at::matmul(a, b);
      case Op::dense_weights:
        return at::matmul(a.t(), b);
      case Op::conv: {
        const at::Tensor x = channels_first(a);
        const Sizes stride = {value.ints[0], value.ints[1]}, near = {value.ints[2], value.ints[3]};
        Sizes padding;  // the last axis comes first; places that no window reaches are cut off
        for (const size_t axis : {1U, 0U}) {
          const int64_t kernel = b.size(static_cast<int64_t>(axis) + 2);
          const int64_t reached = (ends[axis + 1] - 1) * stride[axis] + kernel;
          padding.insert(padding.end(),
                         {near[axis], reached - x.size(static_cast<int64_t>(axis) + 2) - near[axis]});
        }
        return channels_last(at::conv2d(at::constant_pad_nd(x, padding), b, {}, stride));
      }
      case Op::conv_data: {
        const Sizes stride = {value.ints[0], value.ints[1]}, near = {value.ints[2], value.ints[3]};
        at::Tensor whole = at::conv_transpose2d(channels_first(a), b, {}, stride);
        Sizes padding;
        for (const size_t axis : {1U, 0U})
          padding.insert(padding.end(), {-near[axis], ends[axis + 1] + near[axis] -
                                                          whole.size(static_cast<int64_t>(axis) + 2)});
        return channels_last(at::constant_pad_nd(whole, padding));
      }
      default:
        throw std::logic_error("no forward program has this operation");
    }
  }
  static at::Tensor channels_first(const at::Tensor& x) { return x.permute({0, 3, 1, 2}); }
  static at::Tensor channels_last(const at::Tensor& x) { return x.permute({0, 2, 3, 1}); }

  const tensor::Program& program_;
  const tensor::Inputs& inputs_;
  std::vector<at::Tensor> parameters_, values_;
};
