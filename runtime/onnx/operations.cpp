#include "runtime/onnx/operations.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>

namespace onnx_export {
namespace {

using Operation = std::function<Written(Translation&, const Value&)>;
using Pointwise = std::function<std::string(Writer&, const Names&)>;

/// An operation that is applied element by element. Its inputs are not stretched to the whole shape; the
/// result has the whole shape if one of the inputs has.
Operation pointwise(Pointwise write) {
  return [write = std::move(write)](Translation& t, const Value& value) {
    Names names;
    Written result = {"", value.shape.empty(), true};
    for (const int input : value.inputs) {
      names.push_back(t[input].name);
      result.whole = result.whole || t[input].whole;
      result.scalar = result.scalar && t[input].scalar;
    }
    result.name = write(t.writer, names);
    return result;
  };
}

Operation operator_of(const char* name) {
  return pointwise([name](Writer& writer, const Names& names) { return writer.add(name, names); });
}

/// An ONNX operator whose result is true or false; it is converted to a number.
Operation truth_of(const char* name, bool negated = false) {
  return pointwise([=](Writer& writer, const Names& names) {
    const std::string truth = writer.add(name, names);
    return writer.from_truth(negated ? writer.add("Not", {truth}) : truth);
  });
}

/// An ONNX operator on true and false; numbers are converted to and from these.
Operation logic_of(const char* name) {
  return pointwise([name](Writer& writer, const Names& names) {
    Names truths;
    for (const std::string& number : names) truths.push_back(writer.to_truth(number));
    return writer.from_truth(writer.add(name, truths));
  });
}

Operation absent() {
  return [](Translation&, const Value& value) -> Written {
    throw Refused("ONNX has no operation for `" + value.op + "`");
  };
}

/// log(1 + x) as log(u) x / (u - 1) with u = 1 + x. This keeps the digits that are lost when u is rounded
/// (Kahan; Higham, "Accuracy and Stability of Numerical Algorithms", section 1.14.1).
std::string log1p(Writer& writer, const Names& names) {
  const std::string& x = names[0];
  const std::string unit = writer.scalar(1), u = writer.add("Add", {x, unit}), log = writer.add("Log", {u});
  const std::string step = writer.add("Sub", {u, unit});
  const std::string exact = writer.add("Mul", {log, writer.add("Div", {x, step})});
  const std::string near = writer.add("Where", {writer.add("Equal", {step, writer.scalar(0)}), x, exact});
  return writer.add("Where", {writer.add("Greater", {u, writer.scalar(2)}), log, near});
}

std::string modulo(Writer& writer, const Names& names) {
  const std::string quotient = writer.add("Floor", {writer.add("Div", names)});
  return writer.add("Sub", {names[0], writer.add("Mul", {names[1], quotient})});
}

/// The angle of the point (x, y). atan(y / x) gives it only for the right half of the circle; the other cases
/// are added.
std::string atan2(Writer& writer, const Names& names) {
  const std::string &y = names[0], &x = names[1], zero = writer.scalar(0);
  const std::string half = writer.add("Atan", {writer.add("Div", {y, x})});
  const std::string turn =
      writer.add("Where", {writer.add("Less", {y, zero}), writer.scalar(-M_PI), writer.scalar(M_PI)});
  const std::string upright = writer.add("Mul", {writer.add("Sign", {y}), writer.scalar(M_PI / 2)});
  const std::string right = writer.add("Where", {writer.add("Equal", {x, zero}), upright, half});
  return writer.add("Where", {writer.add("Less", {x, zero}), writer.add("Add", {half, turn}), right});
}

Written constant(Translation& t, const Value& value) {
  return {t.writer.scalar(value.number), value.shape.empty(), true};
}

Written iota(Translation& t, const Value& value) {
  const auto axis = static_cast<size_t>(value.ints.at(0));
  Shape shape(value.shape.size(), 1);
  shape.at(axis) = value.shape.at(axis);
  if (shape[axis] < 0) throw Refused("ONNX has no operation for `iota` over rows");
  std::vector<float> numbers(static_cast<size_t>(shape[axis]));
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i);
  const std::string name = "iota/" + std::to_string(t.written.size());
  return {t.writer.floats(name, shape, numbers.data()), shape == value.shape, false};
}

Written input(Translation& t, const Value& value) { return {t.writer.input(value.name, value.shape)}; }

Written parameter(Translation& t, const Value& value) {
  return {t.writer.floats(value.name, value.shape, t.parameters[value.player] + value.offset)};
}

/// A draw that is a function of one random number per element. The number becomes an input, which the caller
/// draws.
Written noise(Translation& t, const Value& value) {
  const auto draws = std::count_if(t.graph.values.begin(), t.graph.values.end(), [](const Value& other) {
    return other.op == "uniform" || other.op == "normal" || other.op == "gumbel";
  });
  const std::string number = draws > 1 ? "_" + std::to_string(t.noise.size() + 1) : "";
  const std::string name = t.writer.input("noise" + number, value.shape);
  t.noise.push_back({name, value.op, value.shape, value.site});
  return {name};
}

/// A draw that needs an unknown number of random numbers. `draw` is its text, as families write it:
/// `gamma(shape)`.
Operation unbounded(const char* draw) {
  return [draw](Translation&, const Value&) -> Written {
    throw Refused(std::string("a draw of `") + draw + "` takes a number of random numbers that is not fixed");
  };
}

Written reshape(Translation& t, const Value& value) {
  if (t[value.inputs.at(0)].scalar) return {t[value.inputs[0]].name, value.shape.empty(), true};
  Shape to = value.shape;
  if (!to.empty() && to[0] < 0) to[0] = 0;  // 0: as long as in the input
  return {t.writer.add("Reshape", {t.whole(value.inputs.at(0)), t.writer.integers(to)})};
}

Written transpose(Translation& t, const Value& value) {
  const Written from = t[value.inputs.at(0)];
  if (from.scalar) return {from.name, value.shape.empty(), true};
  return {t.writer.add("Transpose", {from.name}, {{"perm", value.ints}}), from.whole};
}

/// Axis i of the input becomes axis ints[i]. The axes between them get length 1 and are stretched later, if
/// necessary.
Written broadcast(Translation& t, const Value& value) {
  Written from = t[value.inputs.at(0)];
  if (from.scalar) return {from.name, value.shape.empty(), true};
  if (!std::is_sorted(value.ints.begin(), value.ints.end())) {
    std::vector<int64_t> order(value.ints.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order, {}, [&](int64_t axis) { return value.ints[static_cast<size_t>(axis)]; });
    from = {t.writer.add("Transpose", {from.name}, {{"perm", order}}), false};
  }
  std::vector<int64_t> added;
  for (int64_t axis = 0; axis < static_cast<int64_t>(value.shape.size()); ++axis)
    if (std::find(value.ints.begin(), value.ints.end(), axis) == value.ints.end()) added.push_back(axis);
  if (added.empty()) return {from.name, from.whole && t.graph[value.inputs[0]].shape == value.shape};
  return {t.writer.add("Unsqueeze", {from.name, t.writer.integers(added)}), false};
}

Written slice(Translation& t, const Value& value) {
  const int from = value.inputs.at(0);
  if (t[from].scalar) return {t[from].name, value.shape.empty(), true};
  std::vector<int64_t> begins, ends, axes;
  for (size_t axis = 0; axis < value.shape.size(); ++axis) {
    if (t.graph[from].shape.at(axis) == value.shape[axis]) continue;
    begins.push_back(value.ints.at(2 * axis));
    ends.push_back(value.ints.at(2 * axis + 1));
    axes.push_back(static_cast<int64_t>(axis));
  }
  if (axes.empty()) return t[from];
  Writer& writer = t.writer;
  return {writer.add("Slice",
                     {t.whole(from), writer.integers(begins), writer.integers(ends), writer.integers(axes)})};
}

Written concat(Translation& t, const Value& value) {
  Names names;
  for (const int input : value.inputs) names.push_back(t.whole(input));
  return {t.writer.add("Concat", names, {{"axis", {value.ints.at(0)}, true}})};
}

Operation reduction_of(const char* name, bool axes_are_input) {
  return [=](Translation& t, const Value& value) -> Written {
    const int from = value.inputs.at(0);
    if (value.ints.empty()) return t[from];
    const Attribute drop = {"keepdims", {0}, true};
    if (axes_are_input) return {t.writer.add(name, {t.whole(from), t.writer.integers(value.ints)}, {drop})};
    return {t.writer.add(name, {t.whole(from)}, {{"axes", value.ints}, drop})};
  };
}

Written dense(Translation& t, const Value& value) {
  return {t.writer.add("Gemm", {t.whole(value.inputs.at(0)), t.whole(value.inputs.at(1))},
                       {{"transB", {1}, true}})};
}

Written dense_data(Translation& t, const Value& value) {
  return {t.writer.add("MatMul", {t.whole(value.inputs.at(0)), t.whole(value.inputs.at(1))})};
}

/// Images are [rows, height, width, channels] in vaec and [rows, channels, height, width] in ONNX.
Written convolution(Translation& t, const Value& value, const char* name,
                    const std::vector<int64_t>& output_padding) {
  const std::string from = t.writer.add("Transpose", {t.whole(value.inputs.at(0))}, {{"perm", {0, 3, 1, 2}}});
  const std::vector<int64_t>& ints = value.ints;
  std::vector<Attribute> attributes = {{"strides", {ints.at(0), ints.at(1)}},
                                       {"pads", {ints.at(2), ints.at(3), ints.at(2), ints.at(3)}}};
  if (!output_padding.empty()) attributes.push_back({"output_padding", output_padding});
  const std::string to = t.writer.add(name, {from, t.whole(value.inputs.at(1))}, attributes);
  return {t.writer.add("Transpose", {to}, {{"perm", {0, 2, 3, 1}}})};
}

Written conv(Translation& t, const Value& value) { return convolution(t, value, "Conv", {}); }

/// `output_padding`: the places at the end of each axis that the strides do not reach.
Written conv_data(Translation& t, const Value& value) {
  const Shape &small = t.graph[value.inputs.at(0)].shape, &kernel = t.graph[value.inputs.at(1)].shape;
  std::vector<int64_t> rest;
  for (size_t axis = 0; axis < 2; ++axis)
    rest.push_back(value.shape.at(axis + 1) - (small.at(axis + 1) - 1) * value.ints.at(axis) -
                   kernel.at(axis + 2) + 2 * value.ints.at(axis + 2));
  return convolution(t, value, "ConvTranspose", rest);
}

/// Every operation of compiler/semantics/graph/operations.def and compiler/tensor/operations.def that can
/// occur in a graph of the image, including those for which the graph is refused.
const std::map<std::string, Operation>& table() {
  static const std::map<std::string, Operation> operations = {
      {"constant", constant},
      {"iota", iota},
      {"input", input},
      {"parameter", parameter},
      {"negate", operator_of("Neg")},
      {"exp", operator_of("Exp")},
      {"log", operator_of("Log")},
      {"log1p", pointwise(log1p)},
      {"sqrt", operator_of("Sqrt")},
      {"abs", operator_of("Abs")},
      {"relu", operator_of("Relu")},
      {"tanh", operator_of("Tanh")},
      {"sigmoid", operator_of("Sigmoid")},
      {"softplus", operator_of("Softplus")},
      {"erf", operator_of("Erf")},
      {"sin", operator_of("Sin")},
      {"cos", operator_of("Cos")},
      {"floor", operator_of("Floor")},
      {"lgamma", absent()},
      {"digamma", absent()},
      {"trigamma", absent()},
      {"log_i0", absent()},
      {"i1_over_i0", absent()},
      {"logical_not", logic_of("Not")},
      {"add", operator_of("Add")},
      {"subtract", operator_of("Sub")},
      {"multiply", operator_of("Mul")},
      {"divide", operator_of("Div")},
      {"modulo", pointwise(modulo)},
      {"power", operator_of("Pow")},
      {"minimum", operator_of("Min")},
      {"maximum", operator_of("Max")},
      {"atan2", pointwise(atan2)},
      {"less", truth_of("Less")},
      {"less_equal", truth_of("LessOrEqual")},
      {"greater", truth_of("Greater")},
      {"greater_equal", truth_of("GreaterOrEqual")},
      {"equal", truth_of("Equal")},
      {"not_equal", truth_of("Equal", true)},
      {"logical_and", logic_of("And")},
      {"logical_or", logic_of("Or")},
      {"where", pointwise([](Writer& writer, const Names& names) {
         return writer.add("Where", {writer.to_truth(names[0]), names[1], names[2]});
       })},
      {"stop", operator_of("Identity")},
      {"uniform", noise},
      {"normal", noise},
      {"gumbel", noise},
      {"gamma_log", unbounded("gamma")},
      {"beta", unbounded("beta")},
      {"poisson", unbounded("poisson")},
      {"binomial", unbounded("binomial")},
      {"von_mises", unbounded("von_mises")},
      {"reshape", reshape},
      {"transpose", transpose},
      {"broadcast", broadcast},
      {"slice", slice},
      {"concat", concat},
      {"sum", reduction_of("ReduceSum", true)},
      {"max", reduction_of("ReduceMax", false)},
      {"min", reduction_of("ReduceMin", false)},
      {"dense", dense},
      {"dense_data", dense_data},
      {"dense_weights", absent()},
      {"conv", conv},
      {"conv_data", conv_data},
      {"conv_weights", absent()},
  };
  return operations;
}

}  // namespace

Written write_operation(Translation& translation, const Value& value) {
  return table().at(value.op)(translation, value);
}

}  // namespace onnx_export
