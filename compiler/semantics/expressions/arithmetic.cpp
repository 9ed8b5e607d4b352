// Operators on compile-time values, which keep integers and reals apart, and on tensors.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "compiler/semantics/expressions/evaluation.h"
#include "compiler/semantics/graph/elementwise.h"
#include "compiler/semantics/graph/evaluate_numeric.h"

namespace semantics {

using Kind = Value::Kind;

namespace {

bool is_comparison(Op op) {
  return op == Op::less || op == Op::less_equal || op == Op::greater || op == Op::greater_equal ||
         op == Op::equal || op == Op::not_equal;
}

/// Integer arithmetic. None if the result does not fit into 64 bits.
std::optional<int64_t> integer_result(Op op, int64_t a, int64_t b) {
  int64_t result = 0;
  switch (op) {
    case Op::add:
      return __builtin_add_overflow(a, b, &result) ? std::nullopt : std::optional(result);
    case Op::subtract:
      return __builtin_sub_overflow(a, b, &result) ? std::nullopt : std::optional(result);
    case Op::multiply:
      return __builtin_mul_overflow(a, b, &result) ? std::nullopt : std::optional(result);
    case Op::minimum:
      return std::min(a, b);
    case Op::maximum:
      return std::max(a, b);
    case Op::modulo:
      // The result has the sign of the divisor, as for reals: -7 % 3 is 2.
      if (b == -1) return 0;
      result = a % b;
      return result != 0 && (result < 0) != (b < 0) ? result + b : result;
    case Op::power: {
      result = 1;
      for (int64_t i = 0; i < b; ++i) {
        if (__builtin_mul_overflow(result, a, &result)) return std::nullopt;
        if (result == 0 || (result == 1 && a == 1)) break;
        if (a == -1) return b % 2 == 0 ? 1 : -1;
      }
      return result;
    }
    case Op::negate:
      return __builtin_sub_overflow(int64_t{0}, a, &result) ? std::nullopt : std::optional(result);
    case Op::abs:
      return a >= 0 ? std::optional(a) : integer_result(Op::negate, a, 0);
    case Op::relu:
      return std::max<int64_t>(a, 0);
    case Op::floor:
      return a;
    default:
      return std::nullopt;
  }
}

bool keeps_integers(Op op, const std::vector<Value>& inputs) {
  switch (op) {
    case Op::add:
    case Op::subtract:
    case Op::multiply:
    case Op::minimum:
    case Op::maximum:
    case Op::modulo:
    case Op::negate:
    case Op::abs:
    case Op::relu:
    case Op::floor:
      break;
    case Op::power:
      if (inputs[1].integer < 0) return false;
      break;
    default:
      return false;
  }
  return std::all_of(inputs.begin(), inputs.end(), [](const Value& v) { return v.kind == Kind::integer; });
}

/// Equality of numbers, strings, booleans and lists of these. An integer may equal a real.
bool equal(const Value& a, const Value& b) {
  if (holds_number(a) && holds_number(b) && a.kind != b.kind) return number_in(a) == number_in(b);
  if (a.kind != Kind::list || b.kind != Kind::list) return a.kind == b.kind && key_of(a) == key_of(b);
  return std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), equal);
}

/// Whether folding would drop a parameter that the file writes, as in `0 * parameter([])`. A conditional
/// keeps its parameters whatever numbers stand beside them, so that `-D scale=0` does not change a
/// checkpoint.
bool hides_parameters(const Build& build, Op op, const std::vector<NodeId>& inputs) {
  const auto is_zero = [&](size_t i) { return build.constant_of(inputs[i]) == 0.0; };
  const auto learns = [&](size_t i) { return !parameters_of(*build.graph, inputs[i]).empty(); };
  switch (op) {
    case Op::multiply:
      return (is_zero(0) && learns(1)) || (is_zero(1) && learns(0));
    case Op::divide:
      return is_zero(0) && learns(1);
    case Op::where:
      return build.constant_of(inputs[0]) && (learns(1) || learns(2));
    default:
      return false;
  }
}

/// If the condition of `where` is known when compiling: whether the branch that is not chosen must stay. It
/// stays if it has parameters and its shape fits the chosen branch.
bool keeps_other(const Build& build, const Value& chosen, const Value& other) {
  if (other.kind != Kind::tensor || parameters_of(*build.graph, other.node).empty()) return false;
  const Shape& shape = build.shape(other.node);
  return holds_number(chosen) ||
         (chosen.kind == Kind::tensor && (build.shape(chosen.node) == shape || shape.empty()));
}

/// The operation as the file writes it, without folding. All inputs have one shape, or are scalars.
NodeId unfolded(Build& build, Op op, std::vector<NodeId> inputs) {
  Shape shape = build.shape(inputs[0]);
  for (const NodeId input : inputs)
    if (!build.shape(input).empty()) shape = build.shape(input);
  for (NodeId& input : inputs) input = build.broadcast(input, shape);
  return build.graph->add({op, std::move(inputs), shape, {}, 0, -1, build.span});
}

/// Explains why a function of finite numbers has no finite value. The text names the function and its
/// arguments.
std::string why_not_finite(Op op, const std::string& name, const std::vector<Value>& inputs, double result) {
  std::vector<std::string> numbers;
  for (const Value& input : inputs)
    numbers.push_back(input.kind == Kind::integer ? fmt::format("{}", input.integer)
                      : input.kind == Kind::real  ? real_text(input.real)
                                                  : fmt::format("{}", input.boolean));
  // Shows the operation that was computed: for `square`, a product.
  const Notation& notation = elementwise_operation(op).notation;
  const std::string applied = notation.kind == Notation::Kind::infix
                                  ? fmt::format("`{} {} {}`", numbers[0], notation.name, numbers[1])
                                  : fmt::format("`{}({})`", name, fmt::join(numbers, ", "));
  if (std::isnan(result)) return applied + " is not a number";
  if (op == Op::power && number_in(inputs[0]) == 0) return applied + " divides by zero";
  if (op == Op::log || op == Op::log1p || op == Op::lgamma || op == Op::digamma)
    return applied + " is infinite";
  return fmt::format("{} is {} than any real number", applied, result > 0 ? "larger" : "smaller");
}

}  // namespace

Value Evaluation::unary(const std::string& op, const Value& a, base::Span at) {
  if (op == "-") return pointwise(Op::negate, "-", {a}, at);
  if (a.kind == Kind::boolean) return boolean_value(!a.boolean);
  if (a.kind == Kind::tensor) return pointwise(Op::logical_not, "not", {a}, at);
  if (a.kind != Kind::error) error(base::E0305, at, op, describe(a, *build.graph));
  return {};
}

Value Evaluation::binary(const std::string& op, const Value& a, const Value& b, base::Span at) {
  if (a.kind == Kind::error || b.kind == Kind::error) return {};
  if (op == "@") return matmul(a, b, at);
  const Op operation = *find_operator(op, Notation::Kind::infix);
  const bool equality = operation == Op::equal || operation == Op::not_equal;
  const bool constants = a.kind != Kind::tensor && b.kind != Kind::tensor;
  if (constants && equality && a.kind == b.kind &&
      (a.kind == Kind::string || a.kind == Kind::boolean || a.kind == Kind::list))
    return boolean_value(equal(a, b) == (operation == Op::equal));
  if (operation == Op::logical_and || operation == Op::logical_or) {
    const auto truth = [](const Value& v) { return v.kind == Kind::boolean || v.kind == Kind::tensor; };
    if (!truth(a) || !truth(b)) {
      error(base::E0305, at, op, describe(truth(a) ? b : a, *build.graph));
      return {};
    }
    if (constants)
      return boolean_value(operation == Op::logical_and ? a.boolean && b.boolean : a.boolean || b.boolean);
  }
  return pointwise(operation, op, {a, b}, at);
}

Value Evaluation::pointwise(Op op, const std::string& name, const std::vector<Value>& inputs, base::Span at) {
  bool any_tensor = false;
  for (const Value& input : inputs) {
    if (input.kind == Kind::error) return {};
    any_tensor = any_tensor || input.kind == Kind::tensor;
  }
  const bool takes_truth = op == Op::where || op == Op::logical_and || op == Op::logical_or;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const bool truth_here = inputs[i].kind == Kind::boolean && takes_truth && (op != Op::where || i == 0);
    const bool list = any_tensor && inputs[i].kind == Kind::list;
    if (inputs[i].kind == Kind::tensor || holds_number(inputs[i]) || truth_here || list) continue;
    if (inputs[i].kind == Kind::variables) {
      tensor(inputs[i], at);
    } else {
      error(base::E0305, at, name, describe(inputs[i], *build.graph));
    }
    return {};
  }
  if (op == Op::where && inputs[0].kind == Kind::boolean) {
    const Value& chosen = inputs[inputs[0].boolean ? 1 : 2];
    if (!keeps_other(build, chosen, inputs[inputs[0].boolean ? 2 : 1])) return Value(chosen);
  }
  if (!any_tensor) {
    const auto refuse = [&](const std::string& why) {
      error(base::E0306, at, fmt::format("`{}`", sources.text(at))).label(why);
      return Value{};
    };
    if ((op == Op::modulo || op == Op::divide) && number_in(inputs[1]) == 0)
      return refuse("division by zero");
    if (keeps_integers(op, inputs)) {
      const auto result = integer_result(op, inputs[0].integer, inputs.size() > 1 ? inputs[1].integer : 0);
      return result ? integer_value(*result) : refuse("larger than a 64-bit integer");
    }
    if (is_comparison(op) && inputs[0].kind == Kind::integer && inputs[1].kind == Kind::integer) {
      const int64_t a = inputs[0].integer, b = inputs[1].integer;
      const int64_t sign = (a > b) - (a < b);  // doubles would not tell neighbours beyond 2^53 apart
      return boolean_value(apply(op, static_cast<double>(sign), 0) != 0);
    }
    const auto number = [&](size_t i) {
      return i >= inputs.size()                ? 0
             : inputs[i].kind == Kind::boolean ? inputs[i].boolean
                                               : number_in(inputs[i]);
    };
    const double result = apply(op, number(0), number(1), number(2));
    if (is_comparison(op)) return boolean_value(result != 0);
    if (op == Op::floor && std::abs(result) < 9e15) return integer_value(static_cast<int64_t>(result));
    if (!std::isfinite(result)) return refuse(why_not_finite(op, name, inputs, result));
    return real_value(result);
  }
  std::vector<NodeId> nodes;
  for (const Value& input : inputs) {
    nodes.push_back(tensor(input, at));
    if (!nodes.back()) return {};
  }
  if (!align(nodes, inputs, at)) return {};
  if (hides_parameters(build, op, nodes)) return from_node(unfolded(build, op, std::move(nodes)), at);
  return from_node(build.pointwise(op, nodes), at);
}

bool Evaluation::align(std::vector<NodeId>& nodes, const std::vector<Value>& origins, base::Span at) {
  // In a family's body, a scalar at each position is stretched to the vector or matrix at that position.
  if (frame && !frame->positions.empty()) {
    size_t most = 0;
    for (const NodeId node : nodes) most = std::max(most, own_rank(shape(node)));
    for (NodeId& node : nodes)
      if (shape(node) == frame->positions) node = build.reshape(node, at_positions(Shape(most, 1)));
  }
  Shape result;
  size_t widest = 0;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const Shape& other = shape(nodes[i]);
    if (other.empty()) continue;
    if (result.empty()) {
      result = other;
      widest = i;
      continue;
    }
    bool fits = result.size() == other.size();
    for (size_t axis = 0; fits && axis < result.size(); ++axis) {
      fits = result[axis] == other[axis] || result[axis] == 1 || other[axis] == 1;
      result[axis] = result[axis] == 1 ? other[axis] : result[axis];
    }
    if (fits) continue;
    auto& diagnostic =
        error(base::E0302, at)
            .label(fmt::format("{} and {}", to_string(shape(nodes[widest])), to_string(shape(nodes[i]))));
    for (const size_t k : {widest, i})
      if (origins[k].span.file.index >= 0)
        diagnostic.note(origins[k].span, fmt::format("{} comes from here", to_string(shape(nodes[k]))));
    if (shape(nodes[widest]).size() != shape(nodes[i]).size())
      diagnostic.help("tensors of different rank do not stretch: `reshape` one of them");
    return false;
  }
  for (NodeId& node : nodes) node = build.broadcast(node, result);
  return true;
}

Value Evaluation::matmul(const Value& a, const Value& b, base::Span at) {
  NodeId left = tensor(a, at), right = tensor(b, at);
  if (!left || !right) return {};
  const Shape l = own_shape(shape(left)), r = own_shape(shape(right));
  // The leading axes of a stack of matrices; empty for a single matrix or a vector.
  const auto stack_of = [](const Shape& s) {
    return Shape(s.begin(), s.size() > 2 ? s.end() - 2 : s.begin());
  };
  const Shape stack = stack_of(l);
  if (l.empty() || r.empty() || stack != stack_of(r) || l.back() != r[r.size() > 1 ? r.size() - 2 : 0]) {
    auto& diagnostic =
        error(base::E0302, at)
            .label(fmt::format("`@` needs [m, k] @ [k, n], or stacks of such matrices with equal "
                               "leading axes; this is {} @ {}",
                               to_string(l), to_string(r)));
    note_origin(diagnostic, a);
    note_origin(diagnostic, b);
    return {};
  }
  const int64_t m = l.size() > 1 ? l[l.size() - 2] : 1, k = l.back(), n = r.size() > 1 ? r.back() : 1;
  Shape result = stack;
  if (l.size() > 1) result.push_back(m);
  if (r.size() > 1) result.push_back(n);
  if (!frame && stack.empty()) {
    left = build.reshape(left, {m, k});
    right = build.reshape(right, {k, n});
    return from_node(build.reshape(build.matmul(left, right), result), at);
  }
  // One product at each position and for each matrix of a stack: [m, k, 1] times [1, k, n], summed over k.
  const auto stacked = [&](const Shape& matrix) {
    Shape whole = stack;
    whole.insert(whole.end(), matrix.begin(), matrix.end());
    return at_positions(whole);
  };
  const Shape full = stacked({m, k, n});
  const NodeId products = build.multiply(build.broadcast(build.reshape(left, stacked({m, k, 1})), full),
                                         build.broadcast(build.reshape(right, stacked({1, k, n})), full));
  const auto axis = static_cast<int64_t>(stack.size()) + 1;
  return from_node(build.reshape(build.reduce(Op::sum, products, {axis}), at_positions(result)), at);
}

}  // namespace semantics
