#include "compiler/semantics/graph/evaluate_numeric.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "compiler/semantics/graph/special_functions.h"
#include "runtime/shared/nearest_float.h"

namespace semantics {

double apply(Op op, double a, double b, double c) {
  switch (op) {
#define ELEMENTWISE(name, inputs, notation, cost, value, ...) \
  case Op::name:                                              \
    return value;
#include "runtime/schema/elementwise.def"
    default:
      return std::numeric_limits<double>::quiet_NaN();
  }
}

namespace {

std::vector<int64_t> strides_of(const Shape& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t axis = shape.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * shape[axis];
  return strides;
}

/// Calls visit(linear index, index per axis) for every element of `shape`, in order.
template <class Visit>
void for_each(const Shape& shape, Visit visit) {
  std::vector<int64_t> index(shape.size(), 0);
  const int64_t elements = count(shape);
  for (int64_t linear = 0; linear < elements; ++linear) {
    visit(static_cast<size_t>(linear), index);
    for (size_t axis = shape.size(); axis-- > 0;) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

/// For every element of `shape`, the element of `x` at offset(index).
template <class Offset>
Numbers gather(const Numbers& x, const Shape& shape, Offset offset) {
  Numbers result(static_cast<size_t>(count(shape)));
  for_each(shape, [&](size_t linear, const std::vector<int64_t>& index) {
    result[linear] = x[static_cast<size_t>(offset(index))];
  });
  return result;
}

Numbers reduce(const Node& node, const Node& input, const Numbers& x) {
  const double start = node.op == Op::sum   ? 0.0
                       : node.op == Op::max ? -std::numeric_limits<double>::infinity()
                                            : std::numeric_limits<double>::infinity();
  Numbers result(static_cast<size_t>(count(node.shape)), start);
  const auto strides = strides_of(node.shape);
  for_each(input.shape, [&](size_t linear, const std::vector<int64_t>& index) {
    int64_t at = 0;
    for (size_t axis = 0, kept = 0; axis < index.size(); ++axis)
      if (std::find(node.ints.begin(), node.ints.end(), static_cast<int64_t>(axis)) == node.ints.end())
        at += index[axis] * strides[kept++];
    double& out = result[static_cast<size_t>(at)];
    if (node.op == Op::sum) out += x[linear];
    if (node.op == Op::max) out = std::max(out, x[linear]);
    if (node.op == Op::min) out = std::min(out, x[linear]);
  });
  return result;
}

Numbers multiply(const Numbers& a, const Numbers& b, int64_t m, int64_t k, int64_t n) {
  Numbers result(static_cast<size_t>(m * n));
  for (int64_t i = 0; i < m; ++i)
    for (int64_t l = 0; l < k; ++l)
      for (int64_t j = 0; j < n; ++j)
        result[static_cast<size_t>(i * n + j)] +=
            a[static_cast<size_t>(i * k + l)] * b[static_cast<size_t>(l * n + j)];
  return result;
}

/// conv and deconv. Each element of the kernel joins pairs of an input and an output pixel, in one direction
/// or the other.
Numbers convolve(const Node& node, const Node& input, const Numbers& x, const Node& kernel,
                 const Numbers& w) {
  const bool transposed = node.op == Op::deconv;
  // The side in which a step is one stride of the other.
  const Shape& small = transposed ? input.shape : node.shape;
  const Shape& large = transposed ? node.shape : input.shape;
  Numbers result(static_cast<size_t>(count(node.shape)));
  const int64_t kh = kernel.shape[2], kw = kernel.shape[3];
  for (int64_t a = 0; a < small[0]; ++a)
    for (int64_t b = 0; b < large[0]; ++b)
      for (int64_t i = 0; i < small[1]; ++i)
        for (int64_t j = 0; j < small[2]; ++j)
          for (int64_t u = 0; u < kh; ++u)
            for (int64_t v = 0; v < kw; ++v) {
              const int64_t row = i * node.ints[0] + u - node.ints[2],
                            column = j * node.ints[1] + v - node.ints[3];
              if (row < 0 || column < 0 || row >= large[1] || column >= large[2]) continue;
              // In both layouts, the channels of the small side come first.
              const double weight = w[static_cast<size_t>(((a * large[0] + b) * kh + u) * kw + v)];
              const auto s = static_cast<size_t>((a * small[1] + i) * small[2] + j);
              const auto l = static_cast<size_t>((b * large[1] + row) * large[2] + column);
              if (transposed)
                result[l] += weight * x[s];
              else
                result[s] += weight * x[l];
            }
  return result;
}

}  // namespace

const Numbers& NumericEvaluator::operator()(NodeId id) & {
  // Inputs are computed before the nodes that use them. The explicit stack replaces recursion.
  std::vector<NodeId> stack = {id};
  while (!stack.empty()) {
    const NodeId top = stack.back();
    if (values_.contains(top.index)) {
      stack.pop_back();
      continue;
    }
    bool ready = true;
    for (const NodeId input : graph_[top].inputs)
      if (!values_.contains(input.index)) {
        stack.push_back(input);
        ready = false;
      }
    if (!ready) continue;
    Numbers values = compute(graph_[top]);
    if (precision_ == Precision::single) {
      const bool leaf = info(graph_[top].op).group == OpGroup::leaf;
      for (double& value : values) value = leaf ? nearest_float(value) : static_cast<float>(value);
    }
    values_[top.index] = std::move(values);
    stack.pop_back();
  }
  return values_.at(id.index);
}

double NumericEvaluator::draw(const Node& node, size_t element) {
  const auto input = [&](size_t i) { return values_.at(node.inputs[i].index)[element]; };
  const auto uniform = [&] { return (static_cast<double>(rng_() >> 12) + 0.5) * 0x1p-52; };
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  // The logarithm of a Gamma draw. For a shape below 1, a draw with shape + 1 is multiplied by U^(1/shape).
  const auto log_gamma = [&](double shape) {
    if (!(shape > 0) || !std::isfinite(shape)) return none;
    const double boost = shape < 1 ? std::log(uniform()) / shape : 0;
    return std::log(std::gamma_distribution<double>(shape < 1 ? shape + 1 : shape, 1)(rng_)) + boost;
  };
  // Above this, the library's integers end, and a normal distribution approximates the draw.
  constexpr double countable = 1e15;
  const auto normal = [&](double mean, double variance) {
    return std::normal_distribution<double>(mean, std::sqrt(variance))(rng_);
  };
  // Rejection sampling from a uniform or a normal distribution: cos(t) - 1 <= -2 (t / pi)^2 in [-pi, pi].
  const auto angle = [&](double concentration) {
    const double bend = concentration < 1 ? 0 : 2 * concentration / (std::numbers::pi * std::numbers::pi);
    while (true) {
      const double t = bend > 0 ? normal(0, 0.5 / bend) : std::numbers::pi * (2 * uniform() - 1);
      const double half = std::sin(0.5 * t);
      const bool inside = std::abs(t) <= std::numbers::pi;
      if (inside && std::log(uniform()) < bend * t * t - 2 * concentration * half * half) return t;
    }
  };
  switch (node.op) {
    case Op::uniform:
      return uniform();
    case Op::normal:
      return std::normal_distribution<double>()(rng_);
    case Op::gumbel:
      return -std::log(-std::log(uniform()));
    case Op::gamma_log:
      return log_gamma(input(0));
    case Op::beta: {
      const double a = log_gamma(input(0)), b = log_gamma(input(1));
      return 1 / (1 + std::exp(b - a));
    }
    case Op::poisson:
      if (!(input(0) >= 0) || !std::isfinite(input(0))) return none;
      if (input(0) > countable) return std::floor(normal(input(0), input(0)));
      return static_cast<double>(std::poisson_distribution<int64_t>(input(0))(rng_));
    case Op::binomial:
      if (!(input(0) >= 0 && input(0) <= countable && input(1) >= 0 && input(1) <= 1)) return none;
      return static_cast<double>(
          std::binomial_distribution<int64_t>(static_cast<int64_t>(input(0)), input(1))(rng_));
    case Op::von_mises: {
      const double concentration = input(1);
      if (!(concentration >= 0) || !std::isfinite(concentration)) return none;
      const double moved = input(0) + angle(concentration);
      return moved - 2 * std::numbers::pi * std::ceil((moved - std::numbers::pi) / (2 * std::numbers::pi));
    }
    default:
      return std::numeric_limits<double>::quiet_NaN();
  }
}

Numbers NumericEvaluator::compute(const Node& node) {
  const auto elements = static_cast<size_t>(count(node.shape));
  const auto input = [&](size_t i) -> const Numbers& { return values_.at(node.inputs[i].index); };
  const auto input_node = [&](size_t i) -> const Node& { return graph_[node.inputs[i]]; };
  switch (info(node.op).group) {
    case OpGroup::pointwise: {
      Numbers result(elements);
      for (size_t i = 0; i < elements; ++i)
        result[i] = apply(node.op, input(0)[i], node.inputs.size() > 1 ? input(1)[i] : 0,
                          node.inputs.size() > 2 ? input(2)[i] : 0);
      return result;
    }
    case OpGroup::random: {
      Numbers result(elements);
      for (size_t i = 0; i < elements; ++i) result[i] = draw(node, i);
      return result;
    }
    case OpGroup::reduce:
      return reduce(node, input_node(0), input(0));
    default:
      break;
  }
  switch (node.op) {
    case Op::constant:
      return {node.number};
    case Op::iota: {
      Numbers result(elements);
      for_each(node.shape, [&](size_t linear, const std::vector<int64_t>& index) {
        result[linear] = static_cast<double>(index[static_cast<size_t>(node.ints[0])]);
      });
      return result;
    }
    case Op::reshape:
      return input(0);
    case Op::transpose: {
      const auto strides = strides_of(input_node(0).shape);
      return gather(input(0), node.shape, [&](const std::vector<int64_t>& index) {
        int64_t at = 0;
        for (size_t axis = 0; axis < index.size(); ++axis)
          at += index[axis] * strides[static_cast<size_t>(node.ints[axis])];
        return at;
      });
    }
    case Op::broadcast: {
      const Shape& from = input_node(0).shape;
      const auto strides = strides_of(from);
      return gather(input(0), node.shape, [&](const std::vector<int64_t>& index) {
        int64_t at = 0;
        for (size_t axis = 0; axis < from.size(); ++axis)
          at += from[axis] == 1 ? 0 : index[axis] * strides[axis];
        return at;
      });
    }
    case Op::slice: {
      const auto strides = strides_of(input_node(0).shape);
      return gather(input(0), node.shape, [&](const std::vector<int64_t>& index) {
        int64_t at = 0;
        for (size_t axis = 0; axis < index.size(); ++axis)
          at += (index[axis] + node.ints[2 * axis]) * strides[axis];
        return at;
      });
    }
    case Op::concat: {
      const auto axis = static_cast<size_t>(node.ints[0]);
      Numbers result;
      const int64_t outer = count(Shape(node.shape.begin(), node.shape.begin() + node.ints[0]));
      for (int64_t block = 0; block < outer; ++block)
        for (size_t i = 0; i < node.inputs.size(); ++i) {
          const Shape& shape = input_node(i).shape;
          const int64_t inner = count(Shape(shape.begin() + static_cast<int64_t>(axis), shape.end()));
          result.insert(result.end(), input(i).begin() + block * inner,
                        input(i).begin() + (block + 1) * inner);
        }
      return result;
    }
    case Op::dense:
      return multiply(input(1), input(0), node.shape[0], count(input_node(0).shape), 1);
    case Op::matmul:
      return multiply(input(0), input(1), node.shape[0], input_node(0).shape[1], node.shape[1]);
    case Op::conv:
    case Op::deconv:
      return convolve(node, input_node(0), input(0), input_node(1), input(1));
    default:
      return leaf_(node);
  }
}

}  // namespace semantics
