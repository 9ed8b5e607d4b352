// Data expressions, as the compiler writes them into an executable, evaluated to tables or numbers:
//   {"op":"reader","name":"mnist","args":["train"],"named":{}}       {"op":"column","table":E,"name":"image"}
//   {"op":"rows","table":E,"begin":0,"end":null}                      {"op":"where","table":E,"condition":E}
//   {"op":"shuffle"|"per_class"|"without"|"normalize"|"windows","table":E,"args":[...],"named":{...}}
//   {"op":"number","value":0.5}                                       {"op":"greater","args":[E,E]}
//   element-wise
#pragma once
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>

#include "runtime/data/lookup.h"
#include "runtime/data/table.h"

namespace data {

struct Context {
  Places places;
  std::map<std::string, Table> evaluated = {};  // by expression, so that nothing is read twice
  Memory memory = Memory();                     // for all columns together
};

using Value = std::variant<double, Table>;

/// Failures: missing_input, bad_data and bad_configuration from the readers and operations; internal if the
/// expression is malformed.
Value evaluate(const nlohmann::json& expression, Context& context);
/// The column of a table expression. Failure(bad_data) if the expression is a number.
Column evaluate_column(const nlohmann::json& expression, Context& context);

}  // namespace data
