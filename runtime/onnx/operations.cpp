#include "runtime/onnx/operations.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <string_view>

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

/// A formula of runtime/schema/elementwise.def: a number, an input a, b or c, or OPERATOR(FORMULA, ...).
/// Parts that are written twice are computed once.
class Formula {
 public:
  Formula(Writer& writer, const Names& inputs) : writer_(writer), inputs_(inputs) {}

  std::string write(std::string_view text) {
    const auto [place, fresh] = written_.try_emplace(std::string(text));
    if (!fresh) return place->second;
    const std::string value = compute(text);
    return written_[std::string(text)] = value;
  }

 private:
  std::string compute(std::string_view text) {
    const size_t open = text.find('(');
    if (open != text.npos) return apply(std::string(text.substr(0, open)), text.substr(open + 1));
    if (text.size() == 1 && text[0] >= 'a') return inputs_.at(static_cast<size_t>(text[0] - 'a'));
    return writer_.scalar(std::stod(std::string(text)));
  }

  /// `rest`: the operands and the bracket that closes them.
  std::string apply(const std::string& name, std::string_view rest) {
    Names operands;
    int depth = 0;
    for (size_t begin = 0, i = 0; i < rest.size(); ++i) {
      if (rest[i] == '(') ++depth;
      if (depth == 0 && (rest[i] == ',' || rest[i] == ')')) {
        operands.push_back(write(rest.substr(begin, i - begin)));
        begin = i + 2;  // after the comma and a space
      }
      if (rest[i] == ')') --depth;
    }
    if (name == "truth") return writer_.to_truth(operands.at(0));
    if (name == "number") return writer_.from_truth(operands.at(0));
    return writer_.add(name.c_str(), operands);
  }

  Writer& writer_;
  const Names& inputs_;
  std::map<std::string, std::string> written_;
};

Operation absent() {
  return [](Translation&, const Value& value) -> Written {
    throw Refused("ONNX has no operation for `" + value.op + "`");
  };
}

Operation formula(const char* text) {
  if (*text == 0) return absent();
  return pointwise(
      [text](Writer& writer, const Names& inputs) { return Formula(writer, inputs).write(text); });
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
#define ELEMENTWISE(name, inputs, notation, cost, value, torch, onnx, sentence) {#name, formula(onnx)},
#include "runtime/schema/elementwise.def"
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
