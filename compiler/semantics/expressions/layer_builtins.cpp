// The functions of the language that create parameters. Each call creates its own; shapes and defaults are
// those of PyTorch.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "compiler/semantics/expressions/evaluation.h"
#include "compiler/semantics/graph/tensor_limit.h"
#include "runtime/shared/nearest_float.h"

namespace semantics {

std::string Evaluation::layer_name(const ParameterContext& context, const std::string& layer) {
  const std::string base = context.path.empty() ? layer : context.path + "." + layer;
  auto& counts = context.layer_counts ? *context.layer_counts : own_layer_counts_;
  return base + std::to_string(++counts[base]);
}

NodeId Evaluation::parameter(const ParameterContext& context, const std::string& layer,
                             const std::string& what, const Shape& shape, const Initial& initial) {
  const std::string name = what.empty() ? layer : layer + "." + what;
  if (count(shape) > most_elements) {
    error(base::E0318, build.span, "`" + name + "`", elements_text(shape), to_string(shape), most_elements);
    return {};
  }
  if (context.shared && !probing)
    for (size_t i = 0; i < model.parameters.size(); ++i) {
      const Parameter& there = model.parameters[i];
      if (there.name != name || there.owner != context.owner) continue;
      if (there.shape == shape) return build.leaf(Op::parameter, static_cast<int32_t>(i), shape);
      error(base::E0302, build.span)
          .label(fmt::format("this call needs `{}` of shape {}, an earlier one {}", name, to_string(shape),
                             to_string(there.shape)))
          .note(there.span, "made here")
          .help("a net declared inside a player has one set of parameters for all its calls");
      return {};
    }
  model.parameters.push_back({name, shape, context.owner, initial, build.span});
  return build.leaf(Op::parameter, static_cast<int32_t>(model.parameters.size()) - 1, shape);
}

namespace {

using Kind = Value::Kind;
using Call = Builtin::Call;

bool owned(Evaluation& e, const Call& call) {
  if (call.context.owner.index >= 0) return true;
  e.error(base::E0309, call.span, call.name).help("call it inside a player");
  return false;
}

Initial uniform(double bound) { return {Initial::Kind::uniform, 0, bound}; }
Initial constant(double value) { return {Initial::Kind::constant, value, 0}; }

/// How `init = ...` starts weights with these fans; `fallback` if it is left out. None after an error.
std::optional<Initial> initial_of(Evaluation& e, const Value& init, double fan_in, double fan_out,
                                  const Initial& fallback, base::Span at) {
  if (init.kind == Kind::none) return fallback;
  if (holds_number(init) && fits_float(number_in(init))) return constant(number_in(init));
  if (holds_number(init)) {
    e.error(base::E0301, place_of(init, at), "`init`", float_range, real_text(number_in(init)));
    return std::nullopt;
  }
  if (init.kind == Kind::string) {
    // torch.nn.init: xavier_uniform_, kaiming_uniform_ (for relu), orthogonal_.
    if (init.text == "xavier") return uniform(std::sqrt(6 / (fan_in + fan_out)));
    if (init.text == "kaiming") return uniform(std::sqrt(6 / fan_in));
    if (init.text == "orthogonal") return Initial{Initial::Kind::orthogonal, 0, 1};
  }
  e.error(base::E0301, place_of(init, at), "`init`", "\"xavier\", \"kaiming\", \"orthogonal\" or a number",
          init.kind == Kind::string ? '"' + init.text + '"' : describe(init, *e.build.graph));
  return std::nullopt;
}

std::optional<int64_t> extent(Evaluation& e, const Value& value, const std::string& what, base::Span at) {
  const auto number = e.integer(value, what, at);
  constexpr int64_t most = 1'000'000'000;
  if (number && (*number < 1 || *number > most)) {
    e.error(base::E0301, place_of(value, at), what, *number < 1 ? "at least 1" : "at most a thousand million",
            std::to_string(*number));
    return std::nullopt;
  }
  return number;
}

std::optional<bool> flag(Evaluation& e, const Value& value, const std::string& what, base::Span at) {
  if (value.kind == Kind::none) return true;
  if (value.kind == Kind::boolean) return value.boolean;
  e.error(base::E0301, place_of(value, at), what, "true or false", describe(value, *e.build.graph));
  return std::nullopt;
}

/// Adds a bias over axis 0.
NodeId add_bias(Evaluation& e, const Call& call, const std::string& layer, NodeId h, const Initial& initial) {
  const Shape full = e.shape(h);
  const NodeId bias = e.parameter(call.context, layer, "bias", {full[0]}, initial);
  if (!bias) return {};
  Shape beside(full.size(), 1);
  beside[0] = full[0];
  return e.build.add(h, e.build.broadcast(e.build.reshape(bias, beside), full));
}

/// A bias starts in the same way as in PyTorch. If the layer starts with a number, its bias starts at 0.
Initial bias_initial(const Value& init, double fan_in) {
  return holds_number(init) ? constant(0) : uniform(1 / std::sqrt(fan_in));
}

// dense(h, n, bias = true, init)
Value dense(Evaluation& e, const Call& call) {
  const NodeId h = e.tensor(call.arguments[0], call.span);
  const auto outputs = extent(e, call.arguments[1], "the size of `dense`", call.span);
  const auto bias = flag(e, call.arguments[2], "`bias`", call.span);
  if (!h || !outputs || !bias || !owned(e, call)) return {};
  const int64_t inputs = count(e.shape(h));
  const auto fan_in = static_cast<double>(inputs);
  const auto initial = initial_of(e, call.arguments[3], fan_in, static_cast<double>(*outputs),
                                  uniform(1 / std::sqrt(fan_in)), call.span);
  if (!initial) return {};
  const std::string layer = e.layer_name(call.context, "dense");
  const NodeId weight = e.parameter(call.context, layer, "weight", {*outputs, inputs}, *initial);
  if (!weight) return {};
  NodeId result = e.build.dense(h, weight);
  if (*bias) result = add_bias(e, call, layer, result, bias_initial(call.arguments[3], fan_in));
  return e.from_node(result, call.span);
}

// conv(h, channels, kernel, stride = 1, padding = 0, bias = true, init), and deconv likewise
Value convolution(Evaluation& e, const Call& call, Op op) {
  NodeId h = e.tensor(call.arguments[0], call.span);
  const auto channels = extent(e, call.arguments[1], "the channels of `" + call.name + "`", call.span);
  const auto or_else = [&](size_t i, int64_t fallback) {
    return call.arguments[i].kind == Kind::none ? integer_value(fallback) : call.arguments[i];
  };
  const auto kernel = e.pair(call.arguments[2], "`kernel`", 1, call.span);
  const auto stride = e.pair(or_else(3, 1), "`stride`", 1, call.span);
  const auto padding = e.pair(or_else(4, 0), "`padding`", 0, call.span);
  const auto bias = flag(e, call.arguments[5], "`bias`", call.span);
  if (!h || !channels || !kernel || !stride || !padding || !bias || !owned(e, call)) return {};
  const Shape given = e.shape(h);
  if (given.size() != 2 && given.size() != 3) {
    auto& diagnostic = e.error(base::E0302, call.span)
                           .label(fmt::format("`{}` takes [channels, height, width]; this gives {}",
                                              call.name, to_string(given)));
    e.note_origin(diagnostic, call.arguments[0]);
    if (given.size() == 1)
      diagnostic.help(fmt::format("`reshape(..., [{}, 1, 1])` makes an image of one pixel", given[0]));
    return {};
  }
  if (given.size() == 2) h = e.build.reshape(h, {1, given[0], given[1]});
  const Shape in = e.shape(h);
  const bool transposed = op == Op::deconv;
  const auto extent_after = [&](int64_t size, int64_t k, int64_t s, int64_t p) {
    return transposed ? (size - 1) * s - 2 * p + k : size + 2 * p < k ? 0 : (size + 2 * p - k) / s + 1;
  };
  const Shape out = {*channels, extent_after(in[1], kernel->first, stride->first, padding->first),
                     extent_after(in[2], kernel->second, stride->second, padding->second)};
  if (out[1] < 1 || out[2] < 1) {
    auto& diagnostic =
        e.error(base::E0308, call.span, call.name)
            .label(fmt::format("a kernel of {} by {} on {}", kernel->first, kernel->second, to_string(in)));
    e.note_origin(diagnostic, call.arguments[0]);
    return {};
  }
  const Shape weights = transposed ? Shape{in[0], *channels, kernel->first, kernel->second}
                                   : Shape{*channels, in[0], kernel->first, kernel->second};
  // torch.nn.init takes axis 1 of the weights as the inputs, also for transposed convolutions.
  const auto area = static_cast<double>(kernel->first * kernel->second);
  const double fan_in = static_cast<double>(weights[1]) * area,
               fan_out = static_cast<double>(weights[0]) * area;
  const auto initial =
      initial_of(e, call.arguments[6], fan_in, fan_out, uniform(1 / std::sqrt(fan_in)), call.span);
  if (!initial) return {};
  const std::string layer = e.layer_name(call.context, call.name);
  const NodeId weight = e.parameter(call.context, layer, "weight", weights, *initial);
  if (!weight) return {};
  NodeId result = e.build.convolution(op, h, weight,
                                      {stride->first, stride->second, padding->first, padding->second}, out);
  if (*bias) result = add_bias(e, call, layer, result, bias_initial(call.arguments[6], fan_in));
  return e.from_node(result, call.span);
}
Value conv(Evaluation& e, const Call& call) { return convolution(e, call, Op::conv); }
Value deconv(Evaluation& e, const Call& call) { return convolution(e, call, Op::deconv); }

// embedding(h, n, init): one-hot [K, ...] to [n, ...]. The weights [K, n] start from N(0, 1), as in PyTorch.
Value embedding(Evaluation& e, const Call& call) {
  const NodeId h = e.tensor(call.arguments[0], call.span);
  const auto size = extent(e, call.arguments[1], "the size of `embedding`", call.span);
  if (!h || !size || !owned(e, call)) return {};
  const Shape given = e.shape(h);
  if (given.empty()) {
    e.note_origin(e.error(base::E0302, call.span)
                      .label("`embedding` takes a one-hot tensor, class axis first; this gives a scalar"),
                  call.arguments[0]);
    return {};
  }
  const int64_t classes = given[0];
  const auto initial = initial_of(e, call.arguments[2], static_cast<double>(classes),
                                  static_cast<double>(*size), {Initial::Kind::normal, 0, 1}, call.span);
  if (!initial) return {};
  const NodeId weight = e.parameter(call.context, e.layer_name(call.context, "embedding"), "weight",
                                    {classes, *size}, *initial);
  if (!weight) return {};
  const NodeId rows = e.build.transpose(weight, {1, 0});
  if (given.size() == 1) return e.from_node(e.build.dense(h, rows), call.span);
  Shape result = given;
  result[0] = *size;
  const NodeId flat = e.build.reshape(h, {classes, count(given) / classes});
  return e.from_node(e.build.reshape(e.build.matmul(rows, flat), result), call.span);
}

/// (h - mean) / sqrt(variance + eps), where `mean` gives each element the mean over its group.
NodeId normalised(Build& b, NodeId h, const std::function<NodeId(NodeId)>& mean) {
  constexpr double eps = 1e-5;  // as in PyTorch
  const NodeId centred = b.subtract(h, mean(h));
  const NodeId variance = mean(b.multiply(centred, centred));
  return b.divide(centred, b.pointwise(Op::sqrt, {b.add(variance, b.constant(eps))}));
}

std::vector<int64_t> axes_from(int64_t first, const Shape& shape) {
  std::vector<int64_t> axes(shape.size() - static_cast<size_t>(first));
  std::iota(axes.begin(), axes.end(), first);
  return axes;
}

/// The mean over all elements. No axes are joined, so after a convolution the result keeps the layout of x.
NodeId mean_of_all(Build& b, NodeId x) {
  const Shape full = b.shape(x);
  const NodeId sum = b.reduce(Op::sum, x, axes_from(0, full));
  return b.broadcast(b.reshape(b.scale(sum, 1.0 / static_cast<double>(count(full))), Shape(full.size(), 1)),
                     full);
}

/// The mean over each group of channels: first over each channel, since channels are neighbours in memory.
NodeId mean_of_groups(Build& b, NodeId x, int64_t groups) {
  const Shape full = b.shape(x);
  const Shape grouped = {groups, full[0] / groups};
  Shape beside(full.size(), 1);
  beside[0] = full[0];
  const double share = static_cast<double>(groups) / static_cast<double>(count(full));
  const NodeId channels = full.size() == 1 ? x : b.reduce(Op::sum, x, axes_from(1, full));
  const NodeId sum = b.reduce(Op::sum, b.reshape(channels, grouped), {1});
  const NodeId mean = b.scale(b.broadcast(b.reshape(sum, {groups, 1}), grouped), share);
  return b.broadcast(b.reshape(mean, beside), full);
}

// layer_norm(h): normalizes over all elements of a row, then applies a weight and a bias for each element.
Value layer_norm(Evaluation& e, const Call& call) {
  const NodeId h = e.tensor(call.arguments[0], call.span);
  if (!h || !owned(e, call)) return {};
  const Shape full = e.shape(h);
  const std::string layer = e.layer_name(call.context, "layer_norm");
  const NodeId weight = e.parameter(call.context, layer, "weight", full, constant(1));
  const NodeId bias = e.parameter(call.context, layer, "bias", full, constant(0));
  if (!weight || !bias) return {};
  const NodeId even = normalised(e.build, h, [&](NodeId x) { return mean_of_all(e.build, x); });
  return e.from_node(e.build.add(e.build.multiply(even, weight), bias), call.span);
}

// group_norm(h, groups): normalizes over each group of channels, then applies a weight and a bias for each
// channel.
Value group_norm(Evaluation& e, const Call& call) {
  const NodeId h = e.tensor(call.arguments[0], call.span);
  const auto groups = extent(e, call.arguments[1], "`groups`", call.span);
  if (!h || !groups || !owned(e, call)) return {};
  const Shape full = e.shape(h);
  if (full.empty() || full[0] % *groups != 0) {
    e.note_origin(
        e.error(base::E0302, call.span)
            .label(fmt::format("{} groups do not divide the channels of {}", *groups, to_string(full))),
        call.arguments[0]);
    return {};
  }
  const std::string layer = e.layer_name(call.context, "group_norm");
  const NodeId weight = e.parameter(call.context, layer, "weight", {full[0]}, constant(1));
  if (!weight) return {};
  Shape beside(full.size(), 1);
  beside[0] = full[0];
  Build& b = e.build;
  const NodeId even = normalised(b, h, [&](NodeId x) { return mean_of_groups(b, x, *groups); });
  const NodeId scaled = b.multiply(even, b.broadcast(b.reshape(weight, beside), full));
  return e.from_node(add_bias(e, call, layer, scaled, constant(0)), call.span);
}

// parameter(shape, init = 0)
Value parameter(Evaluation& e, const Call& call) {
  const auto shape = e.integers(call.arguments[0], "the shape of `parameter`", call.span);
  if (!shape || !owned(e, call)) return {};
  if (std::any_of(shape->begin(), shape->end(), [](int64_t extent) { return extent < 1; })) {
    e.error(base::E0301, place_of(call.arguments[0], call.span), "each extent of `parameter`", "at least 1",
            to_string(*shape));
    return {};
  }
  const double outputs = shape->empty() ? 1 : static_cast<double>(shape->front());
  const double inputs = static_cast<double>(count(*shape)) / outputs;
  const auto initial = initial_of(e, call.arguments[1], inputs, outputs, constant(0), call.span);
  if (!initial) return {};
  const NodeId node =
      e.parameter(call.context, e.layer_name(call.context, "parameter"), "", *shape, *initial);
  return e.from_node(node, call.span);
}

}  // namespace

const std::vector<Builtin>& layer_builtins() {
  static const std::vector<Builtin> table = {
      {"dense", "h n bias? init?", dense},
      {"conv", "h channels kernel stride? padding? bias? init?", conv},
      {"deconv", "h channels kernel stride? padding? bias? init?", deconv},
      {"embedding", "h n init?", embedding},
      {"layer_norm", "h", layer_norm},
      {"group_norm", "h groups", group_norm},
      {"parameter", "shape init?", parameter},
  };
  return table;
}

}  // namespace semantics
