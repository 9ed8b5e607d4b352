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

using schema::DataExpression;

Table evaluate_table(const DataExpression& expression, Context& context) {
  Value value = evaluate(expression, context);
  if (auto table = std::get_if<Table>(&value)) return *table;
  throw Failure(Exit::bad_data, "a number stands where a table of data is needed");
}

Table one_column(Column column) {
  Table table{column.origin, {}};
  table.columns.push_back(std::move(column));
  return table;
}

/// Evaluates one operation. Its tables are evaluated first.
struct Evaluation {
  Context& context;

  Value operator()(const schema::Number& number) const { return number.value; }

  Value operator()(const schema::Reader& reader) const {
    return read(reader.name, Arguments(reader.name, reader), {context.places, context.memory});
  }

  Value operator()(const schema::TableColumn& column) const {
    return one_column(table(column.table).column(column.name));
  }

  Value operator()(const schema::TableRows& rows) const {
    return select_slice(table(rows.table), rows.begin, rows.end);
  }

  Value operator()(const schema::Where& where) const {
    const Table rows = table(where.table);
    return select_where(rows, evaluate_column(*where.condition, context), &context.memory);
  }

  Value operator()(const schema::Without& without) const {
    const Table rows = table(without.table);
    return data::without(rows, table(without.other), &context.memory);
  }

  /// Uses the statistics in the expression, if it has any, else those of `by`, else the table's own.
  Value operator()(const schema::Normalize& expression) const {
    const Table rows = table(expression.table);
    const std::string by = expression.by ? expression_text(**expression.by) : rows.origin;
    if (expression.statistics) {
      check_statistics(*expression.statistics, by);
      return normalize(rows, *expression.statistics, by, &context.memory);
    }
    const Table reference = expression.by ? table(*expression.by) : rows;
    return normalize(rows, statistics_of(reference), by, &context.memory);
  }

  Value operator()(const schema::Arranged& arranged) const {
    const Table rows = table(arranged.table);
    const Arguments arguments(schema::word_of(arranged.op), arranged);
    Memory* memory = &context.memory;
    switch (arranged.op) {
      case schema::Arranged::Kind::shuffle:
        return shuffle(rows, arguments.integer(0, "seed", 0), memory);
      case schema::Arranged::Kind::per_class:
        return per_class(rows, arguments.integer(0, "n"), arguments.integer(1, "seed", 0), memory);
      case schema::Arranged::Kind::windows:
        return windows(rows, arguments.integer(0, "length"), arguments.integer(1, "step", 1), memory);
    }
    throw Failure(Exit::internal, "an operation on tables is unknown");
  }

  Value operator()(const schema::Elementwise& elementwise) const {
    if (!is_elementwise(elementwise.op))
      throw Failure(Exit::internal, fmt::format("`{}` is no operation on data", elementwise.op));
    std::vector<Operand> arguments;
    for (const DataExpression& argument : elementwise.args) {
      Value value = evaluate(argument, context);
      if (auto rows = std::get_if<Table>(&value))
        arguments.emplace_back(rows->as_value());
      else
        arguments.emplace_back(std::get<double>(value));
    }
    Operand result = apply_elementwise(elementwise.op, arguments, &context.memory);
    if (auto column = std::get_if<Column>(&result)) return one_column(std::move(*column));
    return std::get<double>(result);
  }

  Value operator()(const schema::Noise& noise) const {
    throw Failure(Exit::internal, fmt::format("`{}` is no operation on data", schema::word_of(noise.op)));
  }

  Table table(const schema::DataBox& expression) const { return evaluate_table(*expression, context); }
};

}  // namespace

Value evaluate(const DataExpression& expression, Context& context) {
  const std::string key = schema::text_of(expression);
  if (auto found = context.evaluated.find(key); found != context.evaluated.end()) return found->second;
  Value value = std::visit(Evaluation{context}, expression.kind);
  if (auto table = std::get_if<Table>(&value)) context.evaluated.emplace(key, *table);
  return value;
}

Column evaluate_column(const DataExpression& expression, Context& context) {
  return evaluate_table(expression, context).as_value();
}

}  // namespace data
