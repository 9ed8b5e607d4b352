#include "runtime/data/expressions/elementwise.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <string_view>
#include <type_traits>

#include "runtime/data/expressions/derived_rows.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/nearest_float.h"

namespace data {
namespace {

constexpr size_t most_arguments = 3;
using Values = const double*;

struct Operation {
  size_t arity;
  bool truth;  // the result is always 0 or 1
  double (*apply)(Values);
  bool sees_missing = false;  // for all other operations, a missing operand makes the result missing
  bool chooses = false;       // only the condition, and the operand that it chooses, can make it missing
};

template <class Value>
Operation declared(std::string_view name, int arity, Value) {
  constexpr bool truth = std::is_same_v<std::invoke_result_t<Value, double, double, double>, bool>;
  return {static_cast<size_t>(arity), truth, [](Values v) -> double { return Value{}(v[0], v[1], v[2]); },
          false, name == "where"};
}

/// The number of words in the parameters of a function.
int count_of_words(std::string_view parameters) {
  return 1 + static_cast<int>(std::ranges::count(parameters, ' '));
}

const std::map<std::string, Operation> operations = {
    {"missing", {1, true, [](Values v) { return double(std::isnan(v[0])); }, true}},
#define VALUE(value) \
  []([[maybe_unused]] double a, [[maybe_unused]] double b, [[maybe_unused]] double c) { return value; }
#define ELEMENTWISE(name, inputs, notation, cost, value, ...) {#name, declared(#name, inputs, VALUE(value))},
#define SPECIAL(...)
#define COMPOSED(name, parameters, otherwise, value, sentence) \
  {#name, declared(#name, count_of_words(parameters), VALUE(value))},
#include "runtime/schema/elementwise.def"
#undef VALUE
};

/// Rounds to the nearest float32. It must not be inlined: g++ 12 at -O2 drops the conversion to float and
/// back for two neighbouring doubles.
[[gnu::noinline]] float rounded(double number) { return nearest_float(number); }

double apply(const Operation& operation, const double* values) {
  if (operation.sees_missing) return operation.apply(values);
  const size_t looked_at = operation.chooses ? 1 : operation.arity;
  for (size_t i = 0; i < looked_at; ++i)
    if (std::isnan(values[i])) return NAN;
  return operation.apply(values);
}

Shape without_ones(const Shape& shape) {
  Shape rest;
  std::copy_if(shape.begin(), shape.end(), std::back_inserter(rest), [](int64_t axis) { return axis != 1; });
  return rest;
}

int64_t count(const Shape& shape) {
  int64_t elements = 1;
  for (int64_t axis : shape) elements *= axis;
  return elements;
}

/// The shape that both shapes can be stretched to, if there is one.
std::optional<Shape> stretched(const Shape& a, const Shape& b) {
  if (shapes_fit(b, a)) return a;
  if (count(b) == 1) return a;
  if (count(a) == 1) return b;
  if (a.size() != b.size()) return {};
  Shape shape = a;
  for (size_t axis = 0; axis < a.size(); ++axis) {
    if (a[axis] != b[axis] && a[axis] != 1 && b[axis] != 1) return {};
    shape[axis] = std::max(a[axis], b[axis]);
  }
  return shape;
}

/// For each element of a row of shape `to`, the index of the element in a row of shape `from` that it is
/// copied from.
std::vector<int64_t> places(const Shape& from, const Shape& to) {
  std::vector<int64_t> result(count(to), 0);
  if (count(from) == 1) return result;
  if (shapes_fit(from, to)) {
    for (size_t i = 0; i < result.size(); ++i) result[i] = static_cast<int64_t>(i);
    return result;
  }
  for (size_t i = 0; i < result.size(); ++i) {
    int64_t rest = static_cast<int64_t>(i), stride = 1;
    for (size_t axis = to.size(); axis-- > 0;) {
      int64_t position = rest % to[axis];
      rest /= to[axis];
      if (from[axis] != 1) result[i] += position * stride;
      stride *= from[axis];
    }
  }
  return result;
}

/// The byte for a missing value among the results of comparisons, which are 0 and 1.
constexpr uint8_t missing_truth = 2;
std::shared_ptr<const Levels> truth_levels() {
  Levels levels = *whole_levels();
  levels[missing_truth] = NAN;
  return std::make_shared<const Levels>(levels);
}

/// An operation whose only column has bytes: only the table of 256 values changes, not the bytes.
Column map_levels(const Operation& operation, const Column& column, std::array<double, most_arguments> values,
                  size_t place) {
  Levels levels;
  for (int byte = 0; byte < 256; ++byte) {
    values[place] = (*column.levels)[byte];
    levels[byte] = static_cast<float>(apply(operation, values.data()));
  }
  Column result = column;
  result.levels = std::make_shared<const Levels>(levels);
  result.pixels = false;
  return result;
}

/// An operation on columns and numbers that can be computed for any rows.
class Mapping {
 public:
  Mapping(const Operation& operation, const std::vector<Operand>& arguments, const Shape& row_shape)
      : operation_(operation), elements_(count(row_shape)) {
    for (size_t k = 0; k < arguments.size(); ++k) {
      const Column* column = std::get_if<Column>(&arguments[k]);
      if (!column) {
        numbers_[k] = rounded(std::get<double>(arguments[k]));
        continue;
      }
      inputs_.push_back({*column, k, places(column->row_shape, row_shape)});
    }
  }

  std::vector<Column> columns() const {
    std::vector<Column> result;
    for (const Input& input : inputs_) result.push_back(input.column);
    return result;
  }

  template <typename T>
  void compute(const int64_t* rows, int64_t n, T* to) const {
    std::array<std::vector<float>, most_arguments> held;
    for (size_t j = 0; j < inputs_.size(); ++j) {
      held[j].resize(n * inputs_[j].column.row_elements());
      inputs_[j].column.read(rows, n, held[j].data());
    }
    std::array<double, most_arguments> values = numbers_;
    for (int64_t row = 0; row < n; ++row)
      for (int64_t i = 0; i < elements_; ++i) {
        for (size_t j = 0; j < inputs_.size(); ++j) {
          const Input& input = inputs_[j];
          values[input.argument] = held[j][row * input.column.row_elements() + input.places[i]];
        }
        const double value = apply(operation_, values.data());
        if constexpr (std::is_same_v<T, uint8_t>)
          *to++ = std::isnan(value) ? missing_truth : value != 0;
        else
          *to++ = static_cast<float>(value);
      }
  }

 private:
  struct Input {
    Column column;
    size_t argument;
    std::vector<int64_t> places;
  };
  const Operation& operation_;
  int64_t elements_;
  std::vector<Input> inputs_;
  std::array<double, most_arguments> numbers_{};
};

/// Computes all rows, a piece at a time.
template <typename T>
std::shared_ptr<const std::vector<T>> computed(const Mapping& mapping, int64_t rows, int64_t elements) {
  std::vector<T> values(rows * elements);
  scan_rows(rows, elements, [&](const int64_t* index, int64_t first, int64_t n) {
    mapping.compute(index, n, values.data() + first * elements);
  });
  return std::make_shared<const std::vector<T>>(std::move(values));
}

Column map_elements(const Operation& operation, const std::vector<Operand>& arguments, Column result,
                    Memory* memory) {
  const auto mapping = std::make_shared<const Mapping>(operation, arguments, result.row_shape);
  const std::vector<Column> columns = mapping->columns();
  const int64_t elements = result.row_elements();
  bool streamed =
      std::any_of(columns.begin(), columns.end(), [](const Column& c) { return c.is_streamed(); });
  result.first_row = 0;
  result.pixels = false;
  result.bytes = nullptr;
  result.reals = nullptr;
  result.byte_rows = nullptr;
  result.real_rows = nullptr;
  result.levels = operation.truth ? truth_levels() : nullptr;
  streamed = streamed || (memory && !memory->take(result.bytes_in_memory()));
  const auto compute = [mapping](const int64_t* rows, int64_t n, auto* to) { mapping->compute(rows, n, to); };
  if (operation.truth && streamed) {
    result.byte_rows = computed_rows(columns, Compute<uint8_t>(compute));
  } else if (operation.truth) {
    result.bytes = computed<uint8_t>(*mapping, result.rows, elements);
  } else if (streamed) {
    result.real_rows = computed_rows(columns, Compute<float>(compute));
  } else {
    result.reals = computed<float>(*mapping, result.rows, elements);
  }
  return result;
}

}  // namespace

bool shapes_fit(const Shape& given, const Shape& wanted) {
  if (without_ones(given) == without_ones(wanted)) return true;
  return (given.size() == 1 || wanted.size() == 1) && count(given) == count(wanted);
}

bool is_elementwise(const std::string& operation) { return operations.contains(operation); }

Operand apply_elementwise(const std::string& name, const std::vector<Operand>& arguments, Memory* memory) {
  const Operation& operation = operations.at(name);
  if (arguments.size() != operation.arity)
    throw Failure(Exit::internal, fmt::format("`{}` in a data expression has {} arguments, not {}", name,
                                              arguments.size(), operation.arity));
  std::vector<const Column*> columns;
  std::array<double, most_arguments> numbers{};
  size_t place = 0;
  for (size_t k = 0; k < arguments.size(); ++k) {
    if (auto column = std::get_if<Column>(&arguments[k])) {
      if (!operation.sees_missing) column->require_numbers();
      columns.push_back(column);
      place = k;
    } else {
      numbers[k] = std::get<double>(arguments[k]);
    }
  }
  if (columns.empty()) return apply(operation, numbers.data());
  Column result = *columns[0];
  result.become_numbers();
  for (const Column* column : columns) {
    if (column->rows != result.rows)
      throw Failure(Exit::bad_data, fmt::format("{} has {} rows, {} has {}: they do not go together",
                                                result.label(), result.rows, column->label(), column->rows));
    auto shape = stretched(result.row_shape, column->row_shape);
    if (!shape)
      throw Failure(Exit::bad_data,
                    fmt::format("{} has the shape {}, {} has {}: they do not go together", result.label(),
                                to_string(result.row_shape), column->label(), to_string(column->row_shape)));
    result.row_shape = *shape;
  }
  if (columns.size() == 1 && result.is_bytes()) {
    // A number is rounded to float32, like the data that it is compared with: a 0.2 in the data is not
    // greater than a 0.2 in the program.
    for (double& number : numbers) number = rounded(number);
    return map_levels(operation, result, numbers, place);
  }
  return map_elements(operation, arguments, result, memory);
}

std::optional<Column> stretch_rows(const Column& column, const Shape& wanted) {
  if (shapes_fit(column.row_shape, wanted)) return column;
  const bool ranks_admit = column.row_shape.empty() || column.row_shape.size() == wanted.size();
  if (!ranks_admit || stretched(column.row_shape, wanted) != wanted) return {};
  const std::vector<int64_t> place = places(column.row_shape, wanted);
  if (column.is_streamed()) return rearranged_rows(column, wanted, place);
  const int64_t from = column.row_elements();
  Column result = column;
  result.row_shape = wanted;
  result.first_row = 0;
  const auto repeat = [&](const auto* values, auto& to) {
    to.reserve(static_cast<size_t>(column.rows) * place.size());
    for (int64_t row = 0; row < column.rows; ++row)
      for (const int64_t element : place) to.push_back(values[row * from + element]);
  };
  if (column.is_bytes()) {
    auto bytes = std::make_shared<std::vector<uint8_t>>();
    repeat(column.byte_data(), *bytes);
    result.bytes = std::move(bytes);
  } else {
    auto reals = std::make_shared<std::vector<float>>();
    repeat(column.real_data(), *reals);
    result.reals = std::move(reals);
  }
  return result;
}

}  // namespace data
