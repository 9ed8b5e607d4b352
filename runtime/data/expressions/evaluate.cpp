#include "runtime/data/expressions/evaluate.h"

#include <fmt/format.h>

#include "runtime/data/expressions/arguments.h"
#include "runtime/data/expressions/elementwise.h"
#include "runtime/data/expressions/expression_text.h"
#include "runtime/data/expressions/kept_statistics.h"
#include "runtime/data/expressions/readers.h"
#include "runtime/data/expressions/select.h"
#include "runtime/data/expressions/statistics.h"
#include "runtime/shared/failure.h"

namespace data {
namespace {

using nlohmann::json;

Table evaluate_table(const json& expression, Context& context) {
  Value value = evaluate(expression, context);
  if (auto table = std::get_if<Table>(&value)) return *table;
  throw Failure(Exit::bad_data, "a number stands where a table of data is needed");
}

std::optional<int64_t> bound(const json& expression, const char* key) {
  auto found = expression.find(key);
  if (found == expression.end() || found->is_null()) return {};
  return found->is_object() ? found->at("value").get<int64_t>() : found->get<int64_t>();
}

Table one_column(Column column) {
  Table table{column.origin, {}};
  table.columns.push_back(std::move(column));
  return table;
}

/// Uses the statistics in the expression, if it has any, else those of `by`, else the table's own.
Table evaluate_normalize(const Table& table, const json& expression, Context& context) {
  const bool other = expression.contains("by");
  const std::string by = other ? expression_text(expression.at("by")) : table.origin;
  if (expression.contains("statistics"))
    return normalize(table, statistics_from(expression.at("statistics"), by), by, &context.memory);
  const Table reference = other ? evaluate_table(expression.at("by"), context) : table;
  return normalize(table, statistics_of(reference), by, &context.memory);
}

Table evaluate_on_table(const std::string& operation, const json& expression, Context& context) {
  Table table = evaluate_table(expression.at("table"), context);
  const Arguments arguments(operation, expression);
  Memory* memory = &context.memory;
  if (operation == "column") return one_column(table.column(expression.at("name").get<std::string>()));
  if (operation == "rows") return select_slice(table, bound(expression, "begin"), bound(expression, "end"));
  if (operation == "where")
    return select_where(table, evaluate_column(expression.at("condition"), context), memory);
  if (operation == "shuffle") return shuffle(table, arguments.integer(0, "seed", 0), memory);
  if (operation == "per_class")
    return per_class(table, arguments.integer(0, "n"), arguments.integer(1, "seed", 0), memory);
  if (operation == "without")
    return without(table, evaluate_table(expression.at("args").at(0), context), memory);
  if (operation == "normalize") return evaluate_normalize(table, expression, context);
  if (operation == "windows")
    return windows(table, arguments.integer(0, "length"), arguments.integer(1, "step", 1), memory);
  throw Failure(Exit::internal, fmt::format("`{}` is no operation on tables", operation));
}

Value evaluate_elementwise(const std::string& operation, const json& expression, Context& context) {
  std::vector<Operand> arguments;
  for (const json& argument : expression.at("args")) {
    if (argument.is_number()) {
      arguments.emplace_back(argument.get<double>());
      continue;
    }
    Value value = evaluate(argument, context);
    if (auto table = std::get_if<Table>(&value))
      arguments.emplace_back(table->as_value());
    else
      arguments.emplace_back(std::get<double>(value));
  }
  Operand result = apply_elementwise(operation, arguments, &context.memory);
  if (auto column = std::get_if<Column>(&result)) return one_column(std::move(*column));
  return std::get<double>(result);
}

Value evaluate_anew(const json& expression, Context& context) {
  const std::string operation = expression.at("op").get<std::string>();
  if (operation == "number") return expression.at("value").get<double>();
  if (operation == "reader") {
    const std::string name = expression.at("name").get<std::string>();
    return read(name, Arguments(name, expression), {context.places, context.memory});
  }
  if (expression.contains("table")) return evaluate_on_table(operation, expression, context);
  if (is_elementwise(operation)) return evaluate_elementwise(operation, expression, context);
  throw Failure(Exit::internal, fmt::format("`{}` is no operation on data", operation));
}

}  // namespace

Value evaluate(const json& expression, Context& context) {
  const std::string key = expression.dump();
  if (auto found = context.evaluated.find(key); found != context.evaluated.end()) return found->second;
  try {
    Value value = evaluate_anew(expression, context);
    if (auto table = std::get_if<Table>(&value)) context.evaluated.emplace(key, *table);
    return value;
  } catch (const json::exception& error) {
    throw Failure(Exit::internal, fmt::format("malformed data expression {}: {}", key, error.what()));
  }
}

Column evaluate_column(const json& expression, Context& context) {
  return evaluate_table(expression, context).as_value();
}

}  // namespace data
