// Converts values to what a function needs: tensors, integers, reals, axes. Also the rule by which a value
// fits a shape.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compiler/semantics/expressions/evaluation.h"
#include "runtime/shared/counted.h"

namespace semantics {

using Kind = Value::Kind;

bool holds_number(const Value& value) { return value.kind == Kind::integer || value.kind == Kind::real; }
double number_in(const Value& value) {
  return value.kind == Kind::integer ? static_cast<double>(value.integer) : value.real;
}

std::string real_text(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

Value integer_value(int64_t value) {
  Value result;
  result.kind = Kind::integer;
  result.integer = value;
  return result;
}
Value real_value(double value) {
  Value result;
  result.kind = Kind::real;
  result.real = value;
  return result;
}
Value boolean_value(bool value) {
  Value result;
  result.kind = Kind::boolean;
  result.boolean = value;
  return result;
}

std::string tensor_of(const Shape& shape) {
  return shape.empty() ? "a scalar" : "a tensor of shape " + to_string(shape);
}

std::string describe(const Value& value, const Graph& graph) {
  switch (value.kind) {
    case Kind::error:
      return "an error";
    case Kind::integer:
      return fmt::format("the integer {}", value.integer);
    case Kind::real:
      return "the real " + real_text(value.real);
    case Kind::boolean:
      return "a boolean";
    case Kind::string:
      return "a string";
    case Kind::list:
      return fmt::format("a list of {}", value.items.size());
    case Kind::tuple:
      return fmt::format("a tuple of {}", value.items.size());
    case Kind::tensor: {
      const Shape& shape = graph[value.node].shape;
      return shape.empty() ? "a scalar tensor" : "a tensor of shape " + to_string(shape);
    }
    case Kind::net:
      return "a net";
    case Kind::builtin:
      return "a function";
    case Kind::family:
      return "a family";
    case Kind::player:
      return "a player";
    case Kind::data:
      return "a table";
    case Kind::variables:
      return "an array of " + counted(value.items.size(), "variable");
    case Kind::none:
      return "`none`";
  }
  return "a value";
}

std::string key_of(const Value& value) {
  switch (value.kind) {
    case Kind::integer:
      return fmt::format("{}", value.integer);
    case Kind::real:
      return fmt::format("{:a}", value.real);
    case Kind::boolean:
      return value.boolean ? "true" : "false";
    case Kind::string:
      return '"' + value.text + '"';
    default: {
      std::string text = "[";
      for (const Value& item : value.items) text += key_of(item) + ',';
      return text + ']';
    }
  }
}

std::string describe(const Domain& domain) { return '`' + text_of(domain) + '`'; }

bool admits(const Domain& domain, double value) {
  const bool whole = value == std::floor(value);
  switch (domain.kind) {
    case DomainKind::binary:
      return value == 0 || value == 1;
    case DomainKind::category:
      return whole && value >= 0 && value < static_cast<double>(domain.classes);
    case DomainKind::count:
      return whole && value >= 0;
    case DomainKind::real:
      return std::isfinite(value);
    case DomainKind::positive:
      return value > 0;
    case DomainKind::unit:
      return value >= 0 && value <= 1;
    case DomainKind::angle:
      return value > -M_PI && value <= M_PI;
    case DomainKind::simplex:
      return false;
  }
  return false;
}

base::Diagnostic& Evaluation::with_calls(base::Diagnostic& diagnostic) {
  constexpr size_t most = 3;
  const auto in_library = [&](base::Span place) { return sources.file(place.file).library; };
  size_t open = open_calls_.size();
  if (diagnostic.span && in_library(*diagnostic.span)) {
    size_t users = open;
    while (users > 0 && in_library(open_calls_[users - 1].span)) --users;
    if (users > 0) {
      const OpenCall& call = open_calls_[users - 1];
      diagnostic.note(*diagnostic.span, fmt::format("inside `{}`, which the library declares", call.name));
      diagnostic.span = call.span;
      open = users - 1;
    }
  }
  for (size_t i = 0; i < std::min(most, open); ++i) {
    const OpenCall& call = open_calls_[open - 1 - i];
    diagnostic.note(call.span, fmt::format("in this call of `{}`", call.name));
  }
  return diagnostic;
}

base::Span place_of(const Value& value, base::Span otherwise) {
  return value.written.file.index >= 0 ? value.written : otherwise;
}

void Evaluation::note_origin(base::Diagnostic& diagnostic, const Value& value) const {
  if (value.kind != Kind::tensor || value.span.file.index < 0) return;
  diagnostic.note(value.span, fmt::format("{} comes from here", to_string(shape(value.node))));
}

Value Evaluation::from_node(NodeId node, base::Span span) const {
  if (!node) return {};
  Value value;
  value.kind = Kind::tensor;
  value.node = node;
  value.span = span;
  return value;
}

NodeId Evaluation::tensor(const Value& value, base::Span at) {
  switch (value.kind) {
    case Kind::tensor:
      return value.node;
    case Kind::integer:
    case Kind::real:
      return build.constant(number_in(value));
    case Kind::boolean:
      return build.constant(value.boolean ? 1 : 0);
    case Kind::list: {
      std::vector<NodeId> parts;
      for (const Value& item : value.items) {
        NodeId part = tensor(item, at);
        if (!part) return {};
        // In a family's body, a number stands for the same number at each position.
        if (frame && shape(part).empty()) part = build.broadcast(part, frame->positions);
        if (!parts.empty() && shape(part) != shape(parts[0])) {
          error(base::E0302, place_of(value, at))
              .label(fmt::format("its elements are {} and {}", to_string(shape(parts[0])),
                                 to_string(shape(part))));
          return {};
        }
        parts.push_back(part);
      }
      if (parts.empty()) break;
      Shape row = shape(parts[0]);
      row.insert(row.begin(), 1);
      for (NodeId& part : parts) part = build.reshape(part, row);
      return build.concat(parts, 0);
    }
    case Kind::variables: {
      auto& diagnostic =
          error(base::E0301, place_of(value, at), "this", "a tensor", describe(value, *build.graph));
      diagnostic.help("choose one of them by its index, as in `z[0]`");
      return {};
    }
    case Kind::error:
      return {};
    default:
      break;
  }
  error(base::E0301, place_of(value, at), "this", "a tensor or a number", describe(value, *build.graph));
  return {};
}

std::optional<int64_t> Evaluation::integer(const Value& value, const std::string& what, base::Span at) {
  if (value.kind == Kind::integer) return value.integer;
  if (value.kind == Kind::tensor) {
    error(base::E0304, place_of(value, at), what);
  } else if (value.kind != Kind::error) {
    const base::Span place = place_of(value, at);
    auto& diagnostic = error(base::E0301, place, what, "an integer", describe(value, *build.graph));
    if (value.kind == Kind::real && sources.text(place).find('/') != std::string_view::npos)
      diagnostic.help(quotient_help);
  }
  return std::nullopt;
}

std::optional<double> Evaluation::real(const Value& value, const std::string& what, base::Span at) {
  if (holds_number(value)) return number_in(value);
  if (value.kind == Kind::tensor) {
    error(base::E0304, place_of(value, at), what);
  } else if (value.kind != Kind::error) {
    error(base::E0301, place_of(value, at), what, "a number", describe(value, *build.graph));
  }
  return std::nullopt;
}

std::optional<std::vector<int64_t>> Evaluation::integers(const Value& value, const std::string& what,
                                                         base::Span at) {
  std::vector<int64_t> result;
  if (value.kind == Kind::integer) return std::vector<int64_t>{value.integer};
  if (value.kind == Kind::list) {
    for (const Value& item : value.items) {
      const auto number = integer(item, "each element of " + what, place_of(value, at));
      if (!number) return std::nullopt;
      result.push_back(*number);
    }
    return result;
  }
  if (value.kind != Kind::error)
    error(base::E0301, place_of(value, at), what, "a list of integers", describe(value, *build.graph));
  return std::nullopt;
}

std::optional<std::pair<int64_t, int64_t>> Evaluation::pair(const Value& value, const std::string& what,
                                                            int64_t least, base::Span at) {
  auto numbers = integers(value, what, at);
  if (!numbers) return std::nullopt;
  if (numbers->size() == 1 && value.kind == Kind::integer) numbers->push_back((*numbers)[0]);
  if (numbers->size() != 2) {
    error(base::E0301, place_of(value, at), what, "a number or a list of two", describe(value, *build.graph));
    return std::nullopt;
  }
  if ((*numbers)[0] < least || (*numbers)[1] < least) {
    error(base::E0301, place_of(value, at), what, fmt::format("at least {}", least),
          fmt::format("{}", std::min((*numbers)[0], (*numbers)[1])));
    return std::nullopt;
  }
  constexpr int64_t most = 1'000'000;  // far beyond any image; a product of three does not overflow
  if ((*numbers)[0] > most || (*numbers)[1] > most) {
    error(base::E0301, place_of(value, at), what, fmt::format("at most {}", most),
          fmt::format("{}", std::max((*numbers)[0], (*numbers)[1])));
    return std::nullopt;
  }
  return std::make_pair((*numbers)[0], (*numbers)[1]);
}

size_t Evaluation::own_rank(const Shape& shape) const {
  return frame ? shape.size() - std::min(shape.size(), frame->positions.size()) : shape.size();
}

Shape Evaluation::own_shape(const Shape& shape) const {
  return {shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(own_rank(shape))};
}

Shape Evaluation::at_positions(Shape own) const {
  if (frame) own.insert(own.end(), frame->positions.begin(), frame->positions.end());
  return own;
}

std::optional<int64_t> Evaluation::axis(const Value& value, const Shape& shape, base::Span at,
                                        int64_t fallback) {
  const auto rank = static_cast<int64_t>(own_rank(shape));
  int64_t axis = fallback;
  if (value.kind != Kind::none) {
    const auto given = integer(value, "`axis`", at);
    if (!given) return std::nullopt;
    axis = *given;
  }
  const int64_t from_start = axis < 0 ? axis + rank : axis;
  if (from_start < 0 || from_start >= rank) {
    error(base::E0307, place_of(value, at), tensor_of(own_shape(shape)), axis);
    return std::nullopt;
  }
  return from_start;
}

NodeId Evaluation::fit(const Value& value, const Shape& needed, const std::string& needs,
                       const std::string& whose, const std::string& declared, base::Span at,
                       base::Span declared_at) {
  const NodeId node = tensor(value, at);
  if (!node) return {};
  const Shape given = shape(node);
  const auto without_ones = [](Shape shape) {
    std::erase(shape, 1);
    return shape;
  };
  if (given == needed) return node;
  if (given.empty()) return build.broadcast(node, needed);
  if (without_ones(given) == without_ones(needed)) return build.reshape(node, needed);
  const bool vector = given.size() == 1 || needed.size() == 1;
  if (vector && count(given) == count(needed)) return build.reshape(node, needed);
  bool stretches = given.size() == needed.size();
  for (size_t i = 0; stretches && i < given.size(); ++i) stretches = given[i] == needed[i] || given[i] == 1;
  if (stretches) return build.broadcast(node, needed);
  auto& diagnostic = error(base::E0302, at);
  diagnostic.label(
      fmt::format("`{}` needs {}{}; this gives {}", needs,
                  vector && needed.size() != 1 ? fmt::format("{} elements, ", count(needed)) : "",
                  to_string(needed) + whose, to_string(given)));
  if (!(value.span == at)) note_origin(diagnostic, value);
  if (declared_at.file.index >= 0) diagnostic.note(declared_at, fmt::format("{} is declared here", declared));
  return {};
}

}  // namespace semantics
