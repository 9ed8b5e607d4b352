#include "compiler/tensor/program.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/semantics/graph/dependence.h"

namespace tensor {

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += shape[i].batch >= 0 ? fmt::format("b{}", shape[i].batch) : fmt::format("{}", shape[i].size);
  }
  return text + "]";
}

std::string to_string(const std::vector<BatchClass>& batches) {
  std::string text = "[";
  for (const BatchClass& batch : batches) {
    if (text.size() > 1) text += ", ";
    text += fmt::format("{}", batch.source);
    if (batch.times != 1) text += fmt::format("x{}", batch.times);
  }
  return text + "]";
}

int64_t row_elements(const Shape& shape) {
  int64_t product = 1;
  for (const Extent& extent : shape) {
    if (extent.batch < 0) product *= extent.size;
  }
  return product;
}

bool has_rows(const Shape& shape) { return !shape.empty() && shape[0].batch >= 0; }

const semantics::OpInfo& info(Op op) {
  using enum semantics::OpGroup;
  static const semantics::OpInfo table[] = {
#define OPERATION(name, inputs, group) {#name, inputs, group},
#include "compiler/semantics/graph/operations.def"
#include "compiler/tensor/operations.def"
#undef OPERATION
  };
  return table[static_cast<size_t>(op)];
}

ValueId Program::add(Value value) {
  values.push_back(std::move(value));
  return {static_cast<int32_t>(values.size()) - 1};
}

namespace {
constexpr int64_t alignment = 16;
int64_t aligned(int64_t elements) { return (elements + alignment - 1) / alignment * alignment; }

int64_t product(const std::vector<int64_t>& shape) {
  int64_t result = 1;
  for (int64_t n : shape) result *= n;
  return result;
}
}  // namespace

ParameterLayout parameter_layout(const semantics::Model& model, semantics::PlayerId player) {
  ParameterLayout layout;
  for (semantics::ParameterId id : model[player].parameters) {
    layout.offsets.push_back(layout.elements);
    layout.elements += aligned(product(model[id].shape));
  }
  return layout;
}

/// If the model reads averages, the places of the averages follow in the same order as the parameters. The
/// average of a parameter of player p has the `player` number of players + p, whose array no update changes.
ParameterPlaces parameter_places(const semantics::Model& model) {
  std::vector<ParameterPlace> places(model.parameters.size());
  for (size_t p = 0; p < model.players.size(); ++p) {
    const semantics::PlayerId player{static_cast<int32_t>(p)};
    const ParameterLayout layout = parameter_layout(model, player);
    for (size_t i = 0; i < layout.offsets.size(); ++i) {
      const semantics::ParameterId id = model[player].parameters[i];
      places[static_cast<size_t>(id.index)] = {static_cast<int>(p), layout.offsets[i], model[id].shape};
    }
  }
  if (semantics::reads_averages(model.graph)) {
    const size_t parameters = places.size();
    for (size_t i = 0; i < parameters; ++i) {
      places.push_back(places[i]);
      places.back().player += static_cast<int>(model.players.size());
    }
  }
  ParameterPlaces table;
  for (ParameterPlace& place : places) table.push_back(std::move(place));
  return table;
}

void ParameterPlaces::push_back(ParameterPlace place) {
  if (table_.use_count() > 1) table_ = std::make_shared<Table>(*table_);
  OfPlayer& player = table_->players[place.player];
  player.parameters.push_back(table_->places.size());
  player.elements = std::max(player.elements, place.offset + aligned(product(place.shape)));
  table_->places.push_back(std::move(place));
}

const std::vector<size_t>& ParameterPlaces::of_player(int player) const {
  static const std::vector<size_t> none;
  const auto found = table_->players.find(player);
  return found == table_->players.end() ? none : found->second.parameters;
}

int64_t ParameterPlaces::elements_of(int player) const {
  const auto found = table_->players.find(player);
  return found == table_->players.end() ? 0 : found->second.elements;
}

namespace {

/// Checks one value against its inputs; each check returns what is wrong.
class Verifier {
 public:
  explicit Verifier(const Program& program) : program_(program) {}

  std::optional<std::string> run() {
    for (size_t i = 0; i < program_.values.size(); ++i) {
      if (auto wrong = check(program_.values[i], static_cast<int>(i))) {
        return fmt::format("{}: %{} = {}: {}", program_.name, i, info(program_.values[i].op).name, *wrong);
      }
    }
    for (const Output& output : program_.outputs) {
      if (!exists(output.value)) return fmt::format("{}: output {} has no value", program_.name, output.name);
    }
    for (const Term& term : program_.shared) {
      if (!exists(term.value) || !exists(term.seed) ||
          program_[term.value].shape != program_[term.seed].shape)
        return program_.name + ": a shared term and its seed differ in shape";
    }
    for (const PlayerUpdate& update : program_.updates) {
      for (const Term& term : update.terms) {
        if (!exists(term.value) || !exists(term.seed) ||
            program_[term.value].shape != program_[term.seed].shape)
          return fmt::format("{}: a term of player {} and its seed differ in shape", program_.name,
                             update.player);
      }
      for (const Gradient& gradient : update.gradients) {
        const auto index = static_cast<size_t>(gradient.parameter.index);
        if (index >= program_.parameters.size() || !exists(gradient.value) ||
            program_[gradient.value].shape != shape_of(program_.parameters[index].shape))
          return fmt::format("{}: the gradient of parameter {} has not its shape", program_.name,
                             gradient.parameter.index);
      }
    }
    return {};
  }

 private:
  static Shape shape_of(const std::vector<int64_t>& sizes) {
    Shape shape;
    for (int64_t n : sizes) shape.push_back({n, -1});
    return shape;
  }
  bool exists(ValueId id) const {
    return id.index >= 0 && static_cast<size_t>(id.index) < program_.values.size();
  }
  const Shape& in(const Value& value, size_t i) const { return program_[value.inputs[i]].shape; }

  /// Repeated rows may become an axis beside the rows, and the other way round.
  bool same_size(const Shape& a, const Shape& b) const {
    if (has_rows(a) != has_rows(b)) return false;
    if (!has_rows(a) || a[0] == b[0]) return row_elements(a) == row_elements(b);
    const BatchClass &of_a = program_.batches[static_cast<size_t>(a[0].batch)],
                     &of_b = program_.batches[static_cast<size_t>(b[0].batch)];
    return of_a.source == of_b.source && of_a.times * row_elements(a) == of_b.times * row_elements(b);
  }

  std::optional<std::string> check(const Value& value, int position) const {
    for (ValueId input : value.inputs) {
      if (!exists(input) || input.index >= position) return "an input does not come before it";
    }
    for (size_t i = 0; i < value.shape.size(); ++i) {
      const Extent& extent = value.shape[i];
      if (extent.batch >= 0 && (i > 0 || static_cast<size_t>(extent.batch) >= program_.batches.size()))
        return "rows that are not axis 0, or of no batch class";
      if (extent.batch < 0 && extent.size < 0) return "a negative length";
    }
    const semantics::OpInfo& operation = info(value.op);
    if (operation.inputs >= 0 && value.inputs.size() != static_cast<size_t>(operation.inputs))
      return fmt::format("{} inputs, not {}", value.inputs.size(), operation.inputs);
    switch (operation.group) {
      case semantics::OpGroup::leaf:
        return leaf(value);
      case semantics::OpGroup::pointwise:
      case semantics::OpGroup::random:
        for (size_t i = 0; i < value.inputs.size(); ++i) {
          if (in(value, i) != value.shape)
            return fmt::format("input {} is {}, not {}", i, to_string(in(value, i)), to_string(value.shape));
        }
        return {};
      case semantics::OpGroup::shape:
        return moved(value);
      case semantics::OpGroup::reduce:
        return reduced(value);
      case semantics::OpGroup::library:
        return library_operation(value);
    }
    return {};
  }

  std::optional<std::string> leaf(const Value& value) const {
    if (value.op == Op::variable) return "variables are bound when the program is built";
    if (value.op == Op::input && value.name.empty()) return "an input without a name";
    if (value.op == Op::iota &&
        (value.ints.size() != 1 || static_cast<size_t>(value.ints[0]) >= value.shape.size()))
      return "no such axis";
    if (value.op == Op::coefficient && !value.shape.empty()) return "a coefficient is a scalar";
    if (value.op == Op::column && (value.ints.size() != 1 || !has_rows(value.shape)))
      return "a column has rows and a source";
    if (value.op == Op::parameter) {
      if (static_cast<size_t>(value.index) >= program_.parameters.size()) return "no such parameter";
      if (value.shape != shape_of(program_.parameters[static_cast<size_t>(value.index)].shape))
        return "not the parameter's shape";
    }
    return {};
  }

  std::optional<std::string> moved(const Value& value) const {
    if (value.op == Op::concat) {
      if (value.inputs.empty() || value.ints.size() != 1) return "concat needs inputs and an axis";
      const auto axis = static_cast<size_t>(value.ints[0]);
      int64_t total = 0;
      for (size_t i = 0; i < value.inputs.size(); ++i) {
        Shape other = in(value, i);
        if (axis >= other.size() || other[axis].batch >= 0) return "no such axis";
        total += other[axis].size;
        other[axis] = value.shape[axis];
        if (other != value.shape) return "inputs differ beside the axis";
      }
      return total == value.shape[axis].size ? std::nullopt
                                             : std::optional<std::string>("lengths do not add up");
    }
    const Shape& from = in(value, 0);
    switch (value.op) {
      case Op::reshape:
        if (!same_size(from, value.shape))
          return fmt::format("{} does not reshape to {}", to_string(from), to_string(value.shape));
        return {};
      case Op::transpose:
        if (value.ints.size() != from.size() || value.shape.size() != from.size())
          return "not one axis for each";
        for (size_t i = 0; i < from.size(); ++i) {
          if (std::ranges::count(value.ints, static_cast<int64_t>(i)) != 1) return "not a permutation";
          if (value.shape[i] != from[static_cast<size_t>(value.ints[i])]) return "lengths differ";
        }
        return {};
      case Op::broadcast: {
        if (value.ints.size() != from.size()) return "not one axis for each";
        for (size_t i = 0; i < from.size(); ++i) {
          const auto axis = static_cast<size_t>(value.ints[i]);
          if (axis >= value.shape.size() || std::ranges::count(value.ints, value.ints[i]) != 1)
            return "no such axis";
          if (from[i] != value.shape[axis] && from[i] != Extent{1, -1})
            return fmt::format("{} does not stretch to {}", to_string(from), to_string(value.shape));
        }
        return {};
      }
      case Op::slice:
        if (value.ints.size() != 2 * from.size() || value.shape.size() != from.size())
          return "not two ends for each axis";
        for (size_t i = 0; i < from.size(); ++i) {
          if (from[i].batch >= 0) {
            if (value.shape[i] != from[i]) return "rows are not sliced";
            continue;
          }
          const int64_t begin = value.ints[2 * i], end = value.ints[2 * i + 1];
          if (begin < 0 || end > from[i].size || end - begin != value.shape[i].size)
            return "outside the input";
        }
        return {};
      default:
        return "not a program's operation";
    }
  }

  std::optional<std::string> reduced(const Value& value) const {
    Shape expected;
    const Shape& from = in(value, 0);
    if (!std::ranges::is_sorted(value.ints)) return "axes not ascending";
    for (size_t i = 0; i < from.size(); ++i) {
      if (std::ranges::count(value.ints, static_cast<int64_t>(i)) == 0) expected.push_back(from[i]);
    }
    if (expected != value.shape) return fmt::format("gives {}", to_string(expected));
    return {};
  }

  std::optional<std::string> library_operation(const Value& value) const {
    if (value.op == Op::sum_ranks) {
      const bool right = in(value, 0) == value.shape && !has_rows(value.shape) && value.ints.size() == 1;
      return right ? std::nullopt : std::optional<std::string>("sums have no rows and are of one source");
    }
    const Shape &a = in(value, 0), &b = in(value, 1), &c = value.shape;
    auto is = [](bool right) {
      return right ? std::nullopt : std::optional<std::string>("shapes do not match");
    };
    auto conv = [&](const Shape& x, const Shape& w, const Shape& y) {
      if (x.size() != 4 || w.size() != 4 || y.size() != 4 || value.ints.size() != 4) return false;
      for (size_t d = 0; d < 2; ++d) {
        const int64_t span = x[1 + d].size + 2 * value.ints[2 + d] - w[2 + d].size;
        // The larger side of a transposed convolution may have rows that no window reaches.
        if (span < 0 || span / value.ints[d] + 1 != y[1 + d].size) return false;
      }
      return x[0] == y[0] && x[3] == w[1] && y[3] == w[0];
    };
    switch (value.op) {
      case Op::dense:
        return is(a.size() == 2 && b.size() == 2 && c.size() == 2 && a[0] == c[0] && a[1] == b[1] &&
                  b[0] == c[1]);
      case Op::dense_data:
        return is(a.size() == 2 && b.size() == 2 && c.size() == 2 && a[0] == c[0] && a[1] == b[0] &&
                  b[1] == c[1]);
      case Op::dense_weights:
        return is(a.size() == 2 && b.size() == 2 && c.size() == 2 && a[0] == b[0] && a[1] == c[0] &&
                  b[1] == c[1]);
      case Op::conv:
        return is(conv(a, b, c));
      case Op::conv_data:
        return is(conv(c, b, a));
      case Op::conv_weights:
        return is(conv(a, c, b));
      default:
        return "not a program's operation";
    }
  }

  const Program& program_;
};

}  // namespace

std::optional<std::string> verify(const Program& program) { return Verifier(program).run(); }

}  // namespace tensor
