#include "compiler/semantics/expressions/scan.h"

#include "runtime/shared/counted.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace semantics {

namespace {

using Kind = Value::Kind;

/// The elements along the first axis; none after an error.
std::optional<std::vector<Value>> elements_of(Evaluation& e, const Builtin::Call& call, const Value& xs) {
  if (xs.kind == Kind::variables || xs.kind == Kind::list) {
    if (!xs.items.empty()) return xs.items;
    e.error(base::E0312, place_of(xs, call.span), "an empty list");
    return std::nullopt;
  }
  const NodeId whole = e.tensor(xs, place_of(xs, call.span));
  if (!whole) return std::nullopt;
  const Shape full = e.shape(whole);
  if (e.own_rank(full) == 0) {
    e.error(base::E0312, place_of(xs, call.span), "a scalar");
    return std::nullopt;
  }
  std::vector<Value> result;
  for (int64_t t = 0; t < full[0]; ++t) {
    std::vector<int64_t> bounds = {t, t + 1};
    for (size_t axis = 1; axis < full.size(); ++axis) bounds.insert(bounds.end(), {0, full[axis]});
    const NodeId part = e.build.reshape(e.build.slice(whole, bounds), Shape(full.begin() + 1, full.end()));
    result.push_back(e.from_node(part, xs.span));
  }
  return result;
}

std::vector<Value> parts_of(const Value& state) {
  return state.kind == Kind::tuple ? state.items : std::vector<Value>{state};
}

class Scan {
 public:
  Scan(Evaluation& e, const Builtin::Call& call)
      : e_(e),
        call_(call),
        cell_(call.arguments[0]),
        context_(call.context),
        path_(e.layer_name(call.context, "scan")) {
    context_.path = path_;
    context_.shared = true;
  }

  /// One call of the cell. Each call numbers its layers from the start, so all calls have the same
  /// parameters.
  Value step(const Value& state, const Value& x) {
    std::map<std::string, int> counts;
    context_.layer_counts = &counts;
    std::vector<Value> arguments(cell_.net->parameters.size());
    for (Value& argument : arguments) argument.kind = Kind::none;
    arguments[0] = state;
    arguments[1] = x;
    return e_.call_net(cell_, arguments, call_.span, context_);
  }

  /// The tensors of one step's result; none after an error.
  std::optional<std::vector<NodeId>> tensors(const Value& state) {
    std::vector<NodeId> result;
    for (const Value& part : parts_of(state)) {
      if (part.kind == Kind::error) return std::nullopt;
      result.push_back(e_.tensor(part, place_of(part, call_.span)));
      if (!result.back()) return std::nullopt;
    }
    return result;
  }

  /// Fills numbers in `init` to the shapes that the cell gives. To find the shapes, it calls the cell, and
  /// then removes the nodes and parameters of this call. Not every cell takes numbers: one that convolves
  /// needs an image, one that unpacks its state needs a tuple. So other states are tried too. If the cell
  /// takes none of them, the errors of the one that got furthest are reported: the one with the fewest.
  std::optional<Value> filled(const Value& init, const Value& x) {
    if (std::ranges::none_of(parts_of(init), holds_number)) return init;
    const Graph graph = *e_.build.graph;
    Value nearest = init;
    size_t fewest = SIZE_MAX;
    std::optional<Value> growing;  // a state that the cell takes, but whose shape changes each time
    for (const Value& state : states_like(init, x)) {
      const size_t before = e_.report.diagnostics().size();
      const auto shapes = settle(state, init, x);
      if (e_.unwinding()) return std::nullopt;  // the error stays: nothing more is evaluated
      const size_t errors = e_.report.diagnostics().size() - before;
      e_.report.forget_after(before);
      if (shapes) {
        *e_.build.graph = graph;
        return with_shapes(state, init, *shapes);
      }
      if (!growing && errors == 0 && parts_of(state).size() == parts_of(init).size()) growing = state;
      if (errors > 0 && errors < fewest) {
        nearest = state;
        fewest = errors;
      }
    }
    if (growing) return growing;
    if (fewest == SIZE_MAX) return init;  // the first step will report what is wrong
    settle(nearest, init, x);
    return std::nullopt;
  }

  /// States to try in place of `init`: each number in it as it is, or in the shape of x; and tuples of it.
  std::vector<Value> states_like(const Value& init, const Value& x) {
    const size_t before = e_.report.diagnostics().size();
    const NodeId element = e_.tensor(x, place_of(x, call_.span));
    e_.report.forget_after(before);
    constexpr size_t most_parts = 4;
    const std::vector<Value> given = parts_of(init);
    const size_t least = given.size(), most = init.kind == Kind::tuple ? least : most_parts;
    std::vector<Value> states;
    for (size_t count = least; count <= most; ++count) {
      const unsigned choices = element && count <= most_parts ? 1U << count : 1;
      for (unsigned shaped = 0; shaped < choices; ++shaped) {
        Value state = init;
        state.kind = Kind::tuple;
        state.items.clear();
        for (size_t i = 0; i < count; ++i) {
          const Value& part = given[std::min(i, least - 1)];
          const bool fills = (shaped >> i & 1U) != 0 && holds_number(part);
          state.items.push_back(fills ? number_like(part, e_.shape(element)) : part);
        }
        states.push_back(count == 1 && init.kind != Kind::tuple ? state.items[0] : state);
      }
    }
    return states;
  }

  /// The shapes that the state has after some steps from `state` on, when they no longer change; none if they
  /// do not settle, or if the cell does not take the state.
  std::optional<std::vector<Shape>> settle(Value state, const Value& init, const Value& x) {
    std::vector<Shape> last;
    for (size_t steps = 0; steps <= parts_of(state).size() + 1; ++steps) {
      const auto shapes = shapes_after(state, x);
      if (!shapes || *shapes == last) return shapes;
      state = with_shapes(state, init, *shapes);
      last = *shapes;
    }
    return std::nullopt;
  }

  /// The shapes of the state after one step from `state`; none if the cell does not take it.
  std::optional<std::vector<Shape>> shapes_after(const Value& state, const Value& x) {
    const Graph before = *e_.build.graph;
    const size_t parameters = e_.model.parameters.size();
    const bool outer = std::exchange(e_.probing, true);
    const auto given = tensors(step(state, x));
    e_.probing = outer;
    std::optional<std::vector<Shape>> shapes;
    if (given && given->size() == parts_of(state).size()) {
      shapes.emplace();
      for (const NodeId node : *given) shapes->push_back(e_.shape(node));
    }
    *e_.build.graph = before;
    e_.model.parameters.resize(parameters);
    return shapes;
  }

  Value number_like(const Value& number, const Shape& shape) {
    return e_.from_node(e_.build.filled(number_in(number), shape), number.span);
  }

  /// `state` with the numbers of `init` in these shapes.
  Value with_shapes(const Value& state, const Value& init, const std::vector<Shape>& shapes) {
    const std::vector<Value> given = parts_of(init);
    const auto fill = [&](size_t i) {
      const Value& part = given[std::min(i, given.size() - 1)];
      return holds_number(part) ? number_like(part, shapes[i]) : part;
    };
    if (state.kind != Kind::tuple) return fill(0);
    Value result = state;
    for (size_t i = 0; i < result.items.size(); ++i) result.items[i] = fill(i);
    return result;
  }

  bool same_shapes(const std::vector<NodeId>& before, const std::vector<NodeId>& after) {
    if (before.size() != after.size()) {
      e_.error(base::E0313, call_.span, cell_.net->name.text, counted(after.size(), "part"),
               counted(before.size(), "part"));
      return false;
    }
    for (size_t i = 0; i < before.size(); ++i) {
      const Shape from = e_.own_shape(e_.shape(before[i])), to = e_.own_shape(e_.shape(after[i]));
      if (from == to) continue;
      e_.error(base::E0302, call_.span)
          .label(fmt::format("`{}` takes {} and gives {}; a state must keep its shape", cell_.net->name.text,
                             tensor_of(from), tensor_of(to)))
          .help("`init` has the shape of what the net gives; a number stands for any shape");
      return false;
    }
    return true;
  }

  Value run(const std::vector<Value>& xs, const Value& init) {
    const auto first = filled(init, xs[0]);
    if (!first) return {};
    auto last = tensors(*first);
    if (!last) return {};
    std::vector<std::vector<NodeId>> stacks(last->size());
    Value state = *first;
    for (const Value& x : xs) {
      state = step(state, x);
      const auto next = tensors(state);
      if (!next || !same_shapes(*last, *next)) return {};
      for (size_t i = 0; i < next->size(); ++i) stacks[i].push_back(stretched((*next)[i]));
      last = next;
    }
    Value result;
    result.kind = Kind::tuple;
    result.span = call_.span;
    for (const auto& stack : stacks)
      result.items.push_back(e_.from_node(e_.build.concat(stack, 0), call_.span));
    return first->kind == Kind::tuple ? result : result.items[0];
  }

 private:
  /// The node with an axis of length 1 in front.
  NodeId stretched(NodeId node) {
    const NodeId whole = e_.shape(node).empty() ? e_.build.broadcast(node, e_.at_positions({})) : node;
    Shape longer = e_.shape(whole);
    longer.insert(longer.begin(), 1);
    return e_.build.reshape(whole, longer);
  }

  Evaluation& e_;
  const Builtin::Call& call_;
  const Value& cell_;
  ParameterContext context_;
  std::string path_;
};

}  // namespace

Value scan(Evaluation& e, const Builtin::Call& call) {
  const Value &cell = call.arguments[0], &init = call.arguments[2];
  if (cell.kind != Kind::net) {
    e.error(base::E0301, place_of(cell, call.span), "the first argument of `scan`", "a net `cell(state, x)`",
            describe(cell, *e.build.graph));
    return {};
  }
  const auto& parameters = cell.net->parameters;
  const auto needed =
      std::ranges::count_if(parameters, [](const auto& parameter) { return parameter.fallback == nullptr; });
  if (parameters.size() < 2 || needed > 2) {
    e.error(base::E0222, place_of(cell, call.span), cell.net->name.text,
            counted(parameters.size(), "argument"), 2)
        .help("`scan` calls it with a state and an element, and takes the next state from it");
    return {};
  }
  const auto xs = elements_of(e, call, call.arguments[1]);
  return xs ? Scan(e, call).run(*xs, init) : Value{};
}

}  // namespace semantics
