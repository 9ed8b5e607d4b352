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

using schema::DataExpression;

/// The column of a table that the operation takes: the one it names, or else `column` of the table inside.
std::string column_of(const DataExpression& expression, const std::string& column) {
  const auto* named = expression.as<schema::TableColumn>();
  return named ? named->name : column;
}

bool is_number(const DataExpression& expression) { return expression.as<schema::Number>() != nullptr; }

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

using Inverse = std::function<double(double value, size_t element)>;

/// The argument that is no number, of an operation on one column.
size_t changed_argument(const schema::Elementwise& operation) {
  return is_number(operation.args.at(0)) ? 1 : 0;
}

/// The inverse of an operation on one column; none if it loses information, or works on two columns.
Inverse inverse_of(const schema::Elementwise& operation) {
  const std::string& op = operation.op;
  const std::vector<DataExpression>& arguments = operation.args;
  if (arguments.size() == 1) {
    const auto found = inverses.find(op);
    if (found == inverses.end()) return {};
    return [inverse = found->second](double y, size_t) { return inverse(y); };
  }
  if (arguments.size() != 2 || is_number(arguments[0]) == is_number(arguments[1])) return {};
  const bool first = is_number(arguments[0]);  // the number is the first argument
  const double number = *schema::number_of(arguments[first ? 0 : 1]);
  if ((op == "multiply" || op == "divide") && number == 0) return {};
  if (op == "add") return [number](double y, size_t) { return y - number; };
  if (op == "subtract") return [number, first](double y, size_t) { return first ? number - y : y + number; };
  if (op == "multiply") return [number](double y, size_t) { return y / number; };
  if (op == "divide") return [number, first](double y, size_t) { return first ? number / y : y * number; };
  return {};
}

/// Puts one value in the place of what the innermost `normalize` that can be undone is applied to: in
/// 2 * normalize(t.a + t.b), in that of t.a + t.b. False if there is no such `normalize`.
bool begin_at_normalize(DataExpression& expression) {
  if (auto* operation = expression.as<schema::Elementwise>())
    return inverse_of(*operation) && begin_at_normalize(operation->args.at(changed_argument(*operation)));
  bool found = false;
  schema::visit_table(expression, [&](DataExpression& table) { found = begin_at_normalize(table); });
  auto* normalize = expression.as<schema::Normalize>();
  if (!found && normalize) *normalize->table = schema::Reader();
  return found || normalize;
}

}  // namespace

Transformation::Transformation(const DataExpression& expression, Shape value_shape)
    : expression_(expression), value_shape_(std::move(value_shape)) {
  elements_ = static_cast<size_t>(element_count(value_shape_, "a variable"));
  find_columns(expression_, "");
  if (!can_apply() && begin_at_normalize(expression_)) {
    one_column_ = true;
    asks_for_missing_ = false;
    reader_.reset();
    find_columns(expression_, "");
  }
  one_column_ = one_column_ && reader_;
  if (!can_apply()) return;
  find_scales(expression_, "");
  if (!scales_.empty()) find_inverses(expression_);
}

/// `column`: the name of the column that is taken of the table `expression`; empty if none is named.
void Transformation::find_columns(const DataExpression& expression, const std::string& column) {
  if (const auto* reader = expression.as<schema::Reader>()) {
    if (reader_ && (DataExpression(*reader_) != expression || column_ != column)) one_column_ = false;
    reader_ = *reader;
    column_ = column;
    return;
  }
  // The innermost `column` operation names the column of the reader.
  if (const DataExpression* table = schema::table_of(expression))
    return find_columns(*table, column_of(expression, column));
  if (const auto* operation = expression.as<schema::Elementwise>()) {
    asks_for_missing_ |= operation->op == "missing";
    for (const DataExpression& argument : operation->args) find_columns(argument, "");
  }
}

void Transformation::find_scales(const DataExpression& expression, const std::string& column) {
  if (const auto* normalize = expression.as<schema::Normalize>())
    scales_[schema::text_of(expression)] = scale_of(*normalize, column);
  if (const DataExpression* table = schema::table_of(expression))
    return find_scales(*table, column_of(expression, column));
  if (const auto* operation = expression.as<schema::Elementwise>())
    for (const DataExpression& argument : operation->args) find_scales(argument, "");
}

/// The statistics of columns that are stacked on a new last axis.
static ColumnStatistics statistics_of_vectors(const TableStatistics& columns) {
  ColumnStatistics all;
  all.shape = columns.front().shape;
  all.shape.push_back(static_cast<int64_t>(columns.size()));
  for (size_t i = 0; i < columns.front().means.size(); ++i)
    for (const ColumnStatistics& column : columns) {
      all.means.push_back(column.means.at(i));
      all.deviations.push_back(column.deviations.at(i));
    }
  return all;
}

/// Whether the table, as a value, is the vector of the columns that its `csv` names.
static bool stands_for_vector(const DataExpression& table) {
  if (const auto* reader = table.as<schema::Reader>())
    return reader->name == "csv" && Arguments("csv", *reader).texts(1, "columns").has_value();
  const DataExpression* inner = table.as<schema::TableColumn>() ? nullptr : schema::table_of(table);
  return inner && stands_for_vector(*inner);
}

/// The scale of a column. If no column is named, it is that of the table as a value: of its first column, or
/// of the vector of all columns that a `csv` names.
Transformation::Scale Transformation::scale_of(const schema::Normalize& normalize,
                                               const std::string& column) const {
  const std::string text = expression_text(normalize);
  if (!normalize.statistics) throw Failure(Exit::internal, fmt::format("{}: there are no statistics", text));
  const TableStatistics& statistics = *normalize.statistics;
  check_statistics(statistics, text);
  if (column.empty() && statistics.size() > 1 && stands_for_vector(*normalize.table)) {
    for (const ColumnStatistics& entry : statistics)
      if (entry.means.size() != statistics.front().means.size())
        throw Failure(Exit::bad_data,
                      fmt::format("{}: its columns have statistics of different shapes", text));
    return stretched(statistics_of_vectors(statistics));
  }
  for (const ColumnStatistics& entry : statistics)
    if (statistics.size() == 1 || entry.name == column || column.empty()) return stretched(entry);
  throw Failure(Exit::bad_data, fmt::format("{}: there are no statistics of `{}`", text, column));
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
void Transformation::find_inverses(const DataExpression& expression) {
  const DataExpression* rest = &expression;
  size_t kept = 0;
  bool whole = true;
  while (!rest->as<schema::Reader>()) {
    if (const DataExpression* table = schema::table_of(*rest)) {
      if (rest->as<schema::Normalize>()) {
        const Scale scale = scales_.at(schema::text_of(*rest));
        undo_.push_back([scale](double y, size_t i) { return y * scale.deviations[i] + scale.means[i]; });
        kept = undo_.size();
      }
      rest = table;
      continue;
    }
    const auto* operation = rest->as<schema::Elementwise>();
    Inverse inverse = operation ? inverse_of(*operation) : nullptr;
    if (!inverse) {
      whole = false;
      break;
    }
    undo_.push_back(std::move(inverse));
    rest = &operation->args.at(changed_argument(*operation));
  }
  normalized_ = kept;
  normalizes_reader_ = whole && undo_.size() == kept;
  if (!whole || kept == 0) undo_.resize(kept);
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

Column Transformation::apply(const DataExpression& expression, const Column& raw) const {
  if (const DataExpression* table = schema::table_of(expression)) {
    Column rows = apply(*table, raw);
    return expression.as<schema::Normalize>() ? scaled(rows, scales_.at(schema::text_of(expression))) : rows;
  }
  const auto* operation = expression.as<schema::Elementwise>();
  if (!operation) return raw;
  std::vector<Operand> operands;
  for (const DataExpression& argument : operation->args)
    if (const auto number = schema::number_of(argument))
      operands.emplace_back(*number);
    else
      operands.emplace_back(apply(argument, raw));
  const Operand result = apply_elementwise(operation->op, operands);
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
  if (normalized_ && normalizes_reader_ && reader_->name == "idx")
    for (float& value : values) value /= 255;
}

}  // namespace data
