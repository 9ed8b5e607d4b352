// Evaluates data expressions to tables or numbers.
#pragma once
#include <map>
#include <string>
#include <variant>

#include "runtime/data/lookup.h"
#include "runtime/data/table.h"
#include "runtime/schema/data_expression.h"

namespace data {

struct Context {
  Places places;
  std::map<std::string, Table> evaluated = {};  // by the expression's text, so that nothing is read twice
  Memory memory = Memory();                     // for all columns together
};

using Value = std::variant<double, Table>;

/// Failures: missing_input, bad_data and bad_configuration from the readers and operations; internal if there
/// is no such operation.
Value evaluate(const schema::DataExpression& expression, Context& context);
/// The column of a table expression. Failure(bad_data) if the expression is a number.
Column evaluate_column(const schema::DataExpression& expression, Context& context);

}  // namespace data
