#include "runtime/data/expressions/transformation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "runtime/data/expressions/arguments.h"
#include "runtime/data/expressions/elementwise.h"
#include "runtime/data/expressions/expression_text.h"
#include "runtime/data/expressions/kept_statistics.h"
#include "runtime/shared/failure.h"

namespace data {
namespace {

using nlohmann::json;

std::string operation_of(const json& expression) { return expression.value("op", ""); }

bool is_number(const json& expression) {
  return expression.is_number() || (expression.is_object() && operation_of(expression) == "number");
}

double number_of(const json& expression) {
  return expression.is_number() ? expression.get<double>() : expression.at("value").get<double>();
}

double logit(double p) { return std::log(p) - std::log1p(-p); }
double inverse_softplus(double y) { return y > 30 ? y : std::log(std::expm1(y)); }

/// Inverses of the functions of one argument that lose no information.
const std::map<std::string, double (*)(double)> inverses = {
    {"negate", [](double y) { return -y; }},
    {"exp", [](double y) { return std::log(y); }},
    {"log", [](double y) { return std::exp(y); }},
    {"log1p", [](double y) { return std::expm1(y); }},
    {"sqrt", [](double y) { return y > 0 ? y * y : 0; }},
    {"sigmoid", logit},
    {"softplus", inverse_softplus},
};

}  // namespace

Transformation::Transformation(const json& expression, Shape value_shape)
    : expression_(expression), value_shape_(std::move(value_shape)) {
  elements_ = static_cast<size_t>(element_count(value_shape_, "a variable"));
  find_columns(expression_, "");
  one_column_ = one_column_ && !reader_.is_null();
  if (!can_apply()) return;
  find_scales(expression_, "");
  if (!scales_.empty()) find_inverses(expression_);
}

/// `column`: the name of the column that is taken of the table `expression`; empty if none is named.
void Transformation::find_columns(const json& expression, const std::string& column) {
  if (is_number(expression)) return;
  const std::string op = operation_of(expression);
  asks_for_missing_ |= op == "missing";
  if (op == "reader") {
    if (!reader_.is_null() && (reader_ != expression || column_ != column)) one_column_ = false;
    reader_ = expression;
    column_ = column;
    return;
  }
  if (expression.contains("table")) {
    // The innermost `column` operation names the column of the reader.
    const bool names = op == "column";
    return find_columns(expression.at("table"), names ? expression.at("name").get<std::string>() : column);
  }
  for (const json& argument : expression.at("args")) find_columns(argument, "");
}

void Transformation::find_scales(const json& expression, const std::string& column) {
  if (is_number(expression) || operation_of(expression) == "reader") return;
  if (!expression.contains("table")) {
    for (const json& argument : expression.at("args")) find_scales(argument, "");
    return;
  }
  const std::string op = operation_of(expression);
  if (op == "normalize") scales_[expression.dump()] = scale_of(expression, column);
  find_scales(expression.at("table"), op == "column" ? expression.at("name").get<std::string>() : column);
}

/// The scale of a column. If no column is named, it is that of the table as a value: of its first column, or
/// of all columns that a `csv` names.
Transformation::Scale Transformation::scale_of(const json& normalize, const std::string& column) const {
  const std::string text = expression_text(normalize);
  const TableStatistics statistics = statistics_from(normalize.at("statistics"), text);
  const bool vector = column.empty() && column_.empty() && reader_.value("name", "") == "csv" &&
                      Arguments("csv", reader_).texts(1, "columns");
  ColumnStatistics all;
  for (const ColumnStatistics& entry : statistics) {
    const bool wanted = vector || statistics.size() == 1 || entry.name == column ||
                        (column.empty() && &entry == &statistics.front());
    if (!wanted) continue;
    all.means.insert(all.means.end(), entry.means.begin(), entry.means.end());
    all.deviations.insert(all.deviations.end(), entry.deviations.begin(), entry.deviations.end());
    all.shape = entry.shape;
  }
  if (all.means.empty())
    throw Failure(Exit::bad_data, fmt::format("{}: there are no statistics of `{}`", text, column));
  if (vector && statistics.size() > 1) all.shape = {static_cast<int64_t>(all.means.size())};
  return stretched(all);
}

/// Stretches the statistics as the column's rows are stretched to the variable's rows. The rows of a window
/// all have the same statistics.
Transformation::Scale Transformation::stretched(const ColumnStatistics& statistics) const {
  const auto spread = [&](const std::vector<double>& numbers) {
    std::vector<float> places(numbers.size());
    for (size_t i = 0; i < places.size(); ++i) places[i] = static_cast<float>(i);
    const Column row = real_column("", statistics.shape, 1, std::move(places));
    const std::optional<Column> fitted = stretch_rows(row, value_shape_);
    std::vector<double> result(elements_);
    for (size_t i = 0; i < elements_; ++i)
      result[i] =
          numbers[fitted ? static_cast<size_t>(fitted->at(static_cast<int64_t>(i))) : i % numbers.size()];
    return result;
  };
  return {spread(statistics.means), spread(statistics.deviations)};
}

/// Finds inverses from the outermost operation inwards, until an operation has none. Inverses inside the
/// innermost `normalize` that was reached are kept only if the whole expression can be undone.
void Transformation::find_inverses(const json& expression) {
  const json* rest = &expression;
  size_t kept = 0;
  bool whole = true;
  while (operation_of(*rest) != "reader") {
    if (rest->contains("table")) {
      if (operation_of(*rest) == "normalize") {
        const Scale scale = scales_.at(rest->dump());
        undo_.push_back([scale](double y, size_t i) { return y * scale.deviations[i] + scale.means[i]; });
        kept = undo_.size();
      }
      rest = &rest->at("table");
      continue;
    }
    if (!find_inverse_of_operation(*rest)) {
      whole = false;
      break;
    }
    const json& arguments = rest->at("args");
    rest = &arguments.at(is_number(arguments.at(0)) ? 1 : 0);
  }
  normalized_ = kept;
  normalizes_reader_ = whole && undo_.size() == kept;
  if (!whole || kept == 0) undo_.resize(kept);
}

bool Transformation::find_inverse_of_operation(const json& expression) {
  const std::string op = operation_of(expression);
  const json& arguments = expression.at("args");
  if (arguments.size() == 1) {
    const auto found = inverses.find(op);
    if (found == inverses.end()) return false;
    undo_.push_back([inverse = found->second](double y, size_t) { return inverse(y); });
    return true;
  }
  if (arguments.size() != 2 || is_number(arguments[0]) == is_number(arguments[1])) return false;
  const bool first = is_number(arguments[0]);  // the number is the first argument
  const double number = number_of(arguments[first ? 0 : 1]);
  if ((op == "multiply" || op == "divide") && number == 0) return false;
  if (op == "add")
    undo_.push_back([number](double y, size_t) { return y - number; });
  else if (op == "subtract")
    undo_.push_back([number, first](double y, size_t) { return first ? number - y : y + number; });
  else if (op == "multiply")
    undo_.push_back([number](double y, size_t) { return y / number; });
  else if (op == "divide")
    undo_.push_back([number, first](double y, size_t) { return first ? number / y : y * number; });
  else
    return false;
  return true;
}

bool Transformation::is_identity() const { return text("x") == "x"; }

std::string Transformation::text(const std::string& value) const {
  return expression_text(expression_, value);
}

bool Transformation::agrees_with(const Transformation& other) const {
  if (text("x") != other.text("x") || scales_.size() != other.scales_.size()) return false;
  // Compares the numbers, because two tables may have the same statistics.
  std::set<std::pair<std::vector<double>, std::vector<double>>> own, others;
  for (const auto& [text, scale] : scales_) own.emplace(scale.means, scale.deviations);
  for (const auto& [text, scale] : other.scales_) others.emplace(scale.means, scale.deviations);
  return own == others;
}

Column Transformation::scaled(const Column& column, const Scale& scale) const {
  column.require_numbers();
  std::vector<float> values(static_cast<size_t>(column.rows) * elements_);
  scan(column, [&](int64_t first, int64_t rows, const float* from) {
    for (size_t i = 0; i < static_cast<size_t>(rows) * elements_; ++i)
      values[static_cast<size_t>(first) * elements_ + i] =
          static_cast<float>((from[i] - scale.means[i % elements_]) / scale.deviations[i % elements_]);
  });
  Column result = real_column(column.name, column.row_shape, column.rows, std::move(values));
  result.origin = column.origin;
  return result;
}

Column Transformation::apply(const json& expression, const Column& raw) const {
  if (operation_of(expression) == "reader") return raw;
  if (expression.contains("table")) {
    Column table = apply(expression.at("table"), raw);
    return operation_of(expression) == "normalize" ? scaled(table, scales_.at(expression.dump())) : table;
  }
  std::vector<Operand> operands;
  for (const json& argument : expression.at("args"))
    if (is_number(argument))
      operands.emplace_back(number_of(argument));
    else
      operands.emplace_back(apply(argument, raw));
  const Operand result = apply_elementwise(operation_of(expression), operands);
  if (const Column* column = std::get_if<Column>(&result)) return *column;
  throw Failure(Exit::internal, "an operation on a column gives a number");
}

Column Transformation::apply(const Column& raw) const {
  const std::optional<Column> fitted = stretch_rows(raw, value_shape_);
  if (!fitted)
    throw Failure(Exit::bad_data, fmt::format("{}: its rows have the shape {}, {} is needed", raw.label(),
                                              to_string(raw.row_shape), to_string(value_shape_)));
  Column values = *fitted;
  // The values are used element by element, so [784] may stand for [28, 28].
  values.row_shape = value_shape_;
  return apply(expression_, values);
}

void Transformation::undo(std::vector<float>& values, size_t inverses) const {
  for (size_t i = 0; i < values.size(); ++i) {
    double value = values[i];
    for (size_t k = 0; k < inverses; ++k) value = undo_[k](value, i % elements_);
    values[i] = static_cast<float>(value);
  }
}

void Transformation::undo(std::vector<float>& values) const { undo(values, undo_.size()); }

void Transformation::undo_for_picture(std::vector<float>& values) const {
  undo(values, normalized_);
  if (normalized_ && normalizes_reader_ && reader_.value("name", "") == "idx")
    for (float& value : values) value /= 255;
}

}  // namespace data
