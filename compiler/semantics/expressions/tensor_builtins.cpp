// Functions of the language that move or combine elements and have no parameters, and functions on lists.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "compiler/semantics/expressions/evaluation.h"
#include "compiler/semantics/expressions/scan.h"

namespace semantics {

namespace {

using Kind = Value::Kind;
using Call = Builtin::Call;

Value along_axis(Evaluation& e, const Call& call, NodeId (Build::*make)(NodeId, int64_t)) {
  const NodeId h = e.tensor(call.arguments[0], call.span);
  if (!h) return {};
  const auto axis = e.axis(call.arguments[1], e.shape(h), call.span);
  return axis ? e.from_node((e.build.*make)(h, *axis), call.span) : Value{};
}
Value softmax(Evaluation& e, const Call& call) { return along_axis(e, call, &Build::softmax); }
Value logsumexp(Evaluation& e, const Call& call) { return along_axis(e, call, &Build::logsumexp); }

/// The axes in a list, counted from 0, each at most once. None after an error.
std::optional<std::vector<int64_t>> axes_of(Evaluation& e, const Call& call, const Value& list,
                                            const Shape& shape, const std::string& what) {
  const auto given = e.integers(list, what, call.span);
  if (!given) return std::nullopt;
  std::vector<int64_t> axes;
  const base::Span place = place_of(list, call.span);
  for (const int64_t number : *given) {
    const auto axis = e.axis(integer_value(number), shape, place);
    if (!axis) return std::nullopt;
    if (std::find(axes.begin(), axes.end(), *axis) != axes.end()) {
      e.error(base::E0314, place, call.name, *axis);
      return std::nullopt;
    }
    axes.push_back(*axis);
  }
  return axes;
}

Value reduced(Evaluation& e, const Call& call, bool mean) {
  const NodeId h = e.tensor(call.arguments[0], call.span);
  if (!h) return {};
  const Shape full = e.shape(h);
  std::vector<int64_t> axes;
  if (call.arguments[1].kind == Kind::none) {
    axes.resize(e.own_rank(full));
    std::iota(axes.begin(), axes.end(), 0);
  } else {
    const auto given = axes_of(e, call, call.arguments[1], full, "`axis`");
    if (!given) return {};
    axes = *given;
    std::sort(axes.begin(), axes.end());
  }
  int64_t dropped = 1;
  for (const int64_t axis : axes) dropped *= full[static_cast<size_t>(axis)];
  const NodeId total = e.build.reduce(Op::sum, h, axes);
  return e.from_node(mean ? e.build.scale(total, 1.0 / static_cast<double>(dropped)) : total, call.span);
}
Value sum(Evaluation& e, const Call& call) { return reduced(e, call, false); }
Value mean(Evaluation& e, const Call& call) { return reduced(e, call, true); }

Value concat(Evaluation& e, const Call& call) {
  const Value& axis_given = call.arguments[0];
  std::vector<NodeId> parts;
  for (size_t i = 1; i < call.arguments.size(); ++i) {
    std::vector<Value> values = {call.arguments[i]};
    if (values[0].kind == Kind::variables) values = call.arguments[i].items;
    for (const Value& value : values) {
      const NodeId part = e.tensor(value, call.span);
      if (!part) return {};
      const bool scalar = e.own_rank(e.shape(part)) == 0;
      const NodeId spread = scalar ? e.build.broadcast(part, e.at_positions({})) : part;
      parts.push_back(scalar ? e.build.reshape(spread, e.at_positions({1})) : part);
    }
  }
  const auto axis = e.axis(axis_given, e.shape(parts[0]), call.span);
  if (!axis) return {};
  const auto without_axis = [&](Shape shape) {
    if (static_cast<size_t>(*axis) < shape.size()) shape.erase(shape.begin() + *axis);
    return shape;
  };
  for (size_t i = 1; i < parts.size(); ++i) {
    if (e.shape(parts[i]).size() == e.shape(parts[0]).size() &&
        without_axis(e.shape(parts[i])) == without_axis(e.shape(parts[0])))
      continue;
    auto& diagnostic = e.error(base::E0302, call.span)
                           .label(fmt::format("`concat` along axis {} of {} and {}", *axis,
                                              to_string(e.shape(parts[0])), to_string(e.shape(parts[i]))));
    for (const size_t k : {size_t{0}, i})
      if (k + 1 < call.arguments.size()) e.note_origin(diagnostic, call.arguments[k + 1]);
    return {};
  }
  return e.from_node(e.build.concat(parts, *axis), call.span);
}

Value reshape(Evaluation& e, const Call& call) {
  const NodeId h = e.tensor(call.arguments[0], call.span);
  auto shape = e.integers(call.arguments[1], "the shape", call.span);
  if (!h || !shape) return {};
  // One length may be -1: it is computed from the number of elements.
  const int64_t elements = count(e.own_shape(e.shape(h)));
  Shape written = *shape;
  std::replace(written.begin(), written.end(), int64_t{-1}, int64_t{1});
  const int64_t known = count(written);
  if (std::count(shape->begin(), shape->end(), -1) == 1 && known > 0 && elements % known == 0)
    *std::find(shape->begin(), shape->end(), -1) = elements / known;
  const bool positive = std::all_of(shape->begin(), shape->end(), [](int64_t extent) { return extent > 0; });
  if (!positive || count(*shape) != elements) {
    auto& diagnostic = e.error(base::E0302, call.span)
                           .label(fmt::format("{} elements, {}, do not fill {}", elements,
                                              to_string(e.own_shape(e.shape(h))), to_string(*shape)));
    e.note_origin(diagnostic, call.arguments[0]);
    return {};
  }
  const NodeId whole = e.shape(h).empty() ? e.build.broadcast(h, e.at_positions({})) : h;
  return e.from_node(e.build.reshape(whole, e.at_positions(*shape)), call.span);
}

Value flatten(Evaluation& e, const Call& call) {
  const NodeId h = e.tensor(call.arguments[0], call.span);
  if (!h) return {};
  const NodeId whole = e.shape(h).empty() ? e.build.broadcast(h, e.at_positions({})) : h;
  return e.from_node(e.build.reshape(whole, e.at_positions({count(e.own_shape(e.shape(h)))})), call.span);
}

Value transpose(Evaluation& e, const Call& call) {
  const NodeId h = e.tensor(call.arguments[0], call.span);
  if (!h) return {};
  const auto axes = axes_of(e, call, call.arguments[1], e.shape(h), "the axes");
  if (!axes) return {};
  const size_t rank = e.own_rank(e.shape(h));
  if (axes->size() != rank) {
    e.error(base::E0315, call.span, to_string(*axes), rank, to_string(e.own_shape(e.shape(h))));
    return {};
  }
  std::vector<int64_t> order = *axes;
  for (size_t i = rank; i < e.shape(h).size(); ++i) order.push_back(static_cast<int64_t>(i));
  return e.from_node(e.build.transpose(h, order), call.span);
}

/// The input [c, h, w] and the window of a pooling or an upsampling. An input [h, w] counts as one channel.
struct Window {
  NodeId h;
  int64_t channels = 0, height = 0, width = 0, rows = 0, columns = 0;
};

std::optional<Window> window_of(Evaluation& e, const Call& call) {
  NodeId h = e.tensor(call.arguments[0], call.span);
  const auto size = e.pair(call.arguments[1], "`k`", 1, call.span);
  if (!h || !size) return std::nullopt;
  const Shape full = e.shape(h);
  if (full.size() != 2 && full.size() != 3) {
    e.note_origin(e.error(base::E0302, call.span)
                      .label(fmt::format("`{}` takes [channels, height, width]; this gives {}", call.name,
                                         to_string(full))),
                  call.arguments[0]);
    return std::nullopt;
  }
  if (full.size() == 2) h = e.build.reshape(h, {1, full[0], full[1]});
  const Shape image = e.shape(h);
  return Window{h, image[0], image[1], image[2], size->first, size->second};
}

Value pool(Evaluation& e, const Call& call, Op op) {
  const auto window = window_of(e, call);
  if (!window) return {};
  const int64_t height = window->height / window->rows, width = window->width / window->columns;
  if (height == 0 || width == 0) {
    e.note_origin(e.error(base::E0308, call.span, call.name)
                      .label(fmt::format("windows of {} by {} on {}", window->rows, window->columns,
                                         to_string(e.shape(window->h)))),
                  call.arguments[0]);
    return {};
  }
  // Rows and columns that do not fill a window are left out, as in PyTorch.
  Build& b = e.build;
  const NodeId whole =
      b.slice(window->h, {0, window->channels, 0, height * window->rows, 0, width * window->columns});
  const NodeId tiles = b.reshape(whole, {window->channels, height, window->rows, width, window->columns});
  const NodeId combined = b.reduce(op, tiles, {2, 4});
  if (op == Op::max) return e.from_node(combined, call.span);
  return e.from_node(b.scale(combined, 1.0 / static_cast<double>(window->rows * window->columns)), call.span);
}
Value avg_pool(Evaluation& e, const Call& call) { return pool(e, call, Op::sum); }
Value max_pool(Evaluation& e, const Call& call) { return pool(e, call, Op::max); }

// Each element becomes a tile of equal elements.
Value upsample(Evaluation& e, const Call& call) {
  const auto w = window_of(e, call);
  if (!w) return {};
  Build& b = e.build;
  const NodeId apart = b.reshape(w->h, {w->channels, w->height, 1, w->width, 1});
  const NodeId tiles = b.broadcast(apart, {w->channels, w->height, w->rows, w->width, w->columns});
  return e.from_node(b.reshape(tiles, {w->channels, w->height * w->rows, w->width * w->columns}), call.span);
}

Value stop(Evaluation& e, const Call& call) {
  return e.pointwise(Op::stop, "stop", {call.arguments[0]}, call.span);
}

Value len(Evaluation& e, const Call& call) {
  const Value& list = call.arguments[0];
  if (list.kind == Kind::list || list.kind == Kind::tuple || list.kind == Kind::variables)
    return integer_value(static_cast<int64_t>(list.items.size()));
  if (list.kind == Kind::tensor && e.own_rank(e.shape(list.node)) > 0)
    return integer_value(e.shape(list.node)[0]);
  e.error(base::E0305, call.span, "len", describe(list, *e.build.graph));
  return {};
}

/// A list stays as it is; any other value becomes a list with one item.
Value list(Evaluation&, const Call& call) {
  const Value& given = call.arguments[0];
  if (given.kind == Kind::error || given.kind == Kind::list || given.kind == Kind::variables) return given;
  Value result;
  result.kind = Kind::list;
  result.items = {given};
  result.span = given.span;
  return result;
}

Value div(Evaluation& e, const Call& call) {
  const auto a = e.integer(call.arguments[0], "the first argument of `div`", call.span);
  const auto b = e.integer(call.arguments[1], "the second argument of `div`", call.span);
  if (!a || !b) return {};
  if (*b == 0 || (*b == -1 && *a == std::numeric_limits<int64_t>::min())) {
    e.error(base::E0306, call.span, fmt::format("`{}`", e.sources.text(call.span)))
        .label(*b == 0 ? "division by zero" : "larger than a 64-bit integer");
    return {};
  }
  const int64_t quotient = *a / *b;
  return integer_value(quotient - (*a % *b != 0 && (*a < 0) != (*b < 0)));
}

Value range(Evaluation& e, const Call& call) {
  constexpr int64_t longest = 1'000'000;
  const bool from_zero = call.arguments[1].kind == Kind::none;
  const auto first =
      from_zero ? std::optional<int64_t>(0) : e.integer(call.arguments[0], "a bound of `range`", call.span);
  const auto last = e.integer(call.arguments[from_zero ? 0 : 1], "a bound of `range`", call.span);
  if (!first || !last) return {};
  if (*last > *first && static_cast<uint64_t>(*last) - static_cast<uint64_t>(*first) > longest) {
    e.error(base::E0317, call.span);
    return {};
  }
  Value list;
  list.kind = Kind::list;
  for (int64_t i = *first; i < *last; ++i) list.items.push_back(integer_value(i));
  return list;
}

}  // namespace

const std::vector<Builtin>& tensor_builtins() {
  static const std::vector<Builtin> table = {
      {"softmax", "h axis?", softmax},
      {"logsumexp", "h axis?", logsumexp},
      {"sum", "h axis?", sum},
      {"mean", "h axis?", mean},
      {"concat", "parts* axis?", concat},
      {"reshape", "h shape", reshape},
      {"flatten", "h", flatten},
      {"transpose", "h axes", transpose},
      {"avg_pool", "h k", avg_pool},
      {"max_pool", "h k", max_pool},
      {"upsample", "h k", upsample},
      {"stop", "h", stop},
      {"len", "list", len},
      {"list", "v", list},
      {"div", "a b", div},
      {"range", "a b?", range},
      {"scan", "cell xs init", scan},
  };
  return table;
}

}  // namespace semantics
