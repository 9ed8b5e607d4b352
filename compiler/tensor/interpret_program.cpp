#include <algorithm>
#include <stdexcept>

#include "compiler/semantics/graph/evaluate_numeric.h"
#include "compiler/tensor/interpret.h"
#include "compiler/tensor/philox.h"

namespace tensor {

int64_t count(const Shape& shape, const std::vector<int64_t>& rows) {
  int64_t product = 1;
  for (const Extent& extent : shape)
    product *= extent.batch >= 0 ? rows[static_cast<size_t>(extent.batch)] : extent.size;
  return product;
}

void convolve(const Convolution& s, int64_t batch, const double* a, const double* b, double* c) {
  using Direction = Convolution::Direction;
  const int64_t x_size = batch * s.in_h * s.in_w * s.in_channels,
                y_size = batch * s.out_h * s.out_w * s.out_channels;
  const int64_t w_size = s.out_channels * s.in_channels * s.kernel_h * s.kernel_w;
  std::fill_n(c,
              s.direction == Direction::forward         ? y_size
              : s.direction == Direction::backward_data ? x_size
                                                        : w_size,
              0.0);
  for (int64_t n = 0; n < batch; ++n)
    for (int64_t oy = 0; oy < s.out_h; ++oy)
      for (int64_t ox = 0; ox < s.out_w; ++ox)
        for (int64_t ky = 0; ky < s.kernel_h; ++ky)
          for (int64_t kx = 0; kx < s.kernel_w; ++kx) {
            const int64_t iy = oy * s.stride_h + ky - s.padding_h, ix = ox * s.stride_w + kx - s.padding_w;
            if (iy < 0 || iy >= s.in_h || ix < 0 || ix >= s.in_w) continue;
            for (int64_t o = 0; o < s.out_channels; ++o)
              for (int64_t i = 0; i < s.in_channels; ++i) {
                const int64_t x = ((n * s.in_h + iy) * s.in_w + ix) * s.in_channels + i;
                const int64_t y = ((n * s.out_h + oy) * s.out_w + ox) * s.out_channels + o;
                const int64_t w = ((o * s.in_channels + i) * s.kernel_h + ky) * s.kernel_w + kx;
                if (s.direction == Direction::forward) c[y] += a[x] * b[w];
                if (s.direction == Direction::backward_data) c[x] += a[y] * b[w];
                if (s.direction == Direction::backward_weights) c[w] += a[x] * b[y];
              }
          }
}

namespace {

class Interpreter {
 public:
  Interpreter(const Program& program, const Inputs& inputs) : program_(program), inputs_(inputs) {}

  Results run(std::vector<Numbers>* all) {
    for (const Value& value : program_.values) values_.push_back(evaluate_value(value));
    Results results;
    for (const Output& output : program_.outputs) results.outputs[output.name] = at(output.value);
    for (const PlayerUpdate& update : program_.updates) {
      Numbers& flat = results.gradients[update.player];
      flat.assign(static_cast<size_t>(program_.parameters.elements_of(update.player)), 0.0);
      for (const Gradient& gradient : update.gradients)
        std::ranges::copy(
            at(gradient.value),
            flat.begin() + program_.parameters[static_cast<size_t>(gradient.parameter.index)].offset);
    }
    if (all != nullptr) *all = std::move(values_);
    return results;
  }

 private:
  const Numbers& at(ValueId id) const { return values_[static_cast<size_t>(id.index)]; }

  std::vector<int64_t> sizes(const Shape& shape) const {
    std::vector<int64_t> result;
    for (const Extent& extent : shape) result.push_back(count({extent}, inputs_.rows));
    return result;
  }

  /// Calls visit(linear index, index per axis) for each element.
  template <class Visit>
  void each(const Shape& shape, Visit visit) const {
    const std::vector<int64_t> lengths = sizes(shape);
    std::vector<int64_t> index(lengths.size(), 0);
    const int64_t total = count(shape, inputs_.rows);
    for (int64_t linear = 0; linear < total; ++linear) {
      int64_t rest = linear;
      for (size_t axis = lengths.size(); axis-- > 0; rest /= lengths[axis])
        index[axis] = rest % lengths[axis];
      visit(static_cast<size_t>(linear), index);
    }
  }
  size_t linear(const Shape& shape, const std::vector<int64_t>& index) const {
    int64_t result = 0;
    const std::vector<int64_t> lengths = sizes(shape);
    for (size_t axis = 0; axis < lengths.size(); ++axis) result = result * lengths[axis] + index[axis];
    return static_cast<size_t>(result);
  }

  Numbers evaluate_value(const Value& value) const {
    const int64_t total = count(value.shape, inputs_.rows);
    Numbers result(static_cast<size_t>(total), 0.0);
    const Numbers* a = !value.inputs.empty() ? &at(value.inputs[0]) : nullptr;
    const Shape* from = a != nullptr ? &program_[value.inputs[0]].shape : nullptr;
    switch (info(value.op).group) {
      case semantics::OpGroup::pointwise:
      case semantics::OpGroup::random:
        for (size_t i = 0; i < result.size(); ++i) {
          double operands[3] = {0, 0, 0};
          for (size_t k = 0; k < value.inputs.size(); ++k) operands[k] = at(value.inputs[k])[i];
          const auto op = static_cast<semantics::Op>(value.op);
          result[i] = info(value.op).group == semantics::OpGroup::random
                          ? draw(op, {inputs_.seed, inputs_.step, value.site, i}, operands[0], operands[1])
                          : semantics::apply(op, operands[0], operands[1], operands[2]);
        }
        return result;
      case semantics::OpGroup::leaf:
        return leaf(value, std::move(result));
      case semantics::OpGroup::library:
        return library_operation(value, std::move(result));
      case semantics::OpGroup::reduce:
        return reduce(value, std::move(result));
      case semantics::OpGroup::shape:
        break;
    }
    if (value.op == Op::reshape) return *a;
    if (value.op == Op::concat) {
      const auto axis = static_cast<size_t>(value.ints[0]);
      int64_t begin = 0;
      for (ValueId input : value.inputs) {
        const Shape& piece = program_[input].shape;
        each(piece, [&](size_t i, std::vector<int64_t> index) {
          index[axis] += begin;
          result[linear(value.shape, index)] = at(input)[i];
        });
        begin += piece[axis].size;
      }
      return result;
    }
    each(value.shape, [&](size_t i, const std::vector<int64_t>& index) {
      std::vector<int64_t> source(from->size());
      for (size_t axis = 0; axis < from->size(); ++axis) {
        if (value.op == Op::transpose) source[static_cast<size_t>(value.ints[axis])] = index[axis];
        if (value.op == Op::broadcast)
          source[axis] = (*from)[axis] == Extent{1, -1} ? 0 : index[static_cast<size_t>(value.ints[axis])];
        if (value.op == Op::slice)
          source[axis] = index[axis] + ((*from)[axis].batch < 0 ? value.ints[2 * axis] : 0);
      }
      result[i] = (*a)[linear(*from, source)];
    });
    return result;
  }

  Numbers leaf(const Value& value, Numbers result) const {
    switch (value.op) {
      case Op::constant:
        std::ranges::fill(result, value.number);
        return result;
      case Op::iota:
        each(value.shape, [&](size_t i, const std::vector<int64_t>& index) {
          result[i] = static_cast<double>(index[static_cast<size_t>(value.ints[0])]);
        });
        return result;
      case Op::parameter: {
        const ParameterPlace& place = program_.parameters[static_cast<size_t>(value.index)];
        const Numbers& flat = inputs_.parameters[static_cast<size_t>(place.player)];
        std::copy_n(flat.begin() + place.offset, result.size(), result.begin());
        return result;
      }
      case Op::column:
        result = inputs_.columns.at({value.index, static_cast<int>(value.ints[0])});
        break;
      case Op::input:
        result = inputs_.values.at(value.name);
        break;
      case Op::coefficient:
        return {inputs_.coefficients[static_cast<size_t>(value.index)]};
      default:
        throw std::logic_error("not a leaf of programs");
    }
    if (static_cast<int64_t>(result.size()) != count(value.shape, inputs_.rows))
      throw std::runtime_error("an input of another size");
    return result;
  }

  Numbers reduce(const Value& value, Numbers result) const {
    const Numbers& a = at(value.inputs[0]);
    std::vector<bool> started(result.size(), false);
    each(program_[value.inputs[0]].shape, [&](size_t i, const std::vector<int64_t>& index) {
      std::vector<int64_t> kept;
      for (size_t axis = 0; axis < index.size(); ++axis) {
        if (std::ranges::count(value.ints, static_cast<int64_t>(axis)) == 0) kept.push_back(index[axis]);
      }
      const size_t to = linear(value.shape, kept);
      double& sum = result[to];
      if (!started[to]) {
        sum = a[i];
        started[to] = true;
      } else if (value.op == Op::sum) {
        sum += a[i];
      } else {
        sum = value.op == Op::max ? std::max(sum, a[i]) : std::min(sum, a[i]);
      }
    });
    return result;
  }

  Numbers library_operation(const Value& value, Numbers result) const {
    if (value.op == Op::sum_ranks) return at(value.inputs[0]);
    const Numbers &a = at(value.inputs[0]), &b = at(value.inputs[1]);
    const Shape &sa = program_[value.inputs[0]].shape, &sb = program_[value.inputs[1]].shape,
                &sc = value.shape;
    if (value.op == Op::conv || value.op == Op::conv_data || value.op == Op::conv_weights) {
      const Shape& x = value.op == Op::conv_data ? sc : sa;
      const Shape& y = value.op == Op::conv ? sc : value.op == Op::conv_data ? sa : sb;
      const Shape& w = value.op == Op::conv_weights ? sc : sb;
      Convolution s;
      s.direction = value.op == Op::conv        ? Convolution::Direction::forward
                    : value.op == Op::conv_data ? Convolution::Direction::backward_data
                                                : Convolution::Direction::backward_weights;
      s.in_h = x[1].size, s.in_w = x[2].size, s.in_channels = x[3].size;
      s.out_h = y[1].size, s.out_w = y[2].size, s.out_channels = y[3].size;
      s.kernel_h = w[2].size, s.kernel_w = w[3].size;
      s.stride_h = value.ints[0], s.stride_w = value.ints[1], s.padding_h = value.ints[2],
      s.padding_w = value.ints[3];
      convolve(s, count({x[0]}, inputs_.rows), a.data(), b.data(), result.data());
      return result;
    }
    const std::vector<int64_t> la = sizes(sa), lb = sizes(sb), lc = sizes(sc);
    const int64_t depth = value.op == Op::dense_weights ? la[0] : la[1];
    for (int64_t i = 0; i < lc[0]; ++i) {
      for (int64_t j = 0; j < lc[1]; ++j) {
        double sum = 0;
        for (int64_t k = 0; k < depth; ++k) {
          const double left = value.op == Op::dense_weights ? a[static_cast<size_t>(k * la[1] + i)]
                                                            : a[static_cast<size_t>(i * la[1] + k)];
          const double right = value.op == Op::dense ? b[static_cast<size_t>(j * lb[1] + k)]
                                                     : b[static_cast<size_t>(k * lb[1] + j)];
          sum += left * right;
        }
        result[static_cast<size_t>(i * lc[1] + j)] = sum;
      }
    }
    return result;
  }

  const Program& program_;
  const Inputs& inputs_;
  std::vector<Numbers> values_;
};

}  // namespace

Results interpret(const Program& program, const Inputs& inputs, std::vector<Numbers>* values) {
  return Interpreter(program, inputs).run(values);
}

}  // namespace tensor
