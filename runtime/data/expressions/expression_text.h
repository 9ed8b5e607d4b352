// Writes data expressions as a user writes them, for messages.
#pragma once
#include <string>

#include "runtime/schema/data_expression.h"

namespace data {

/// `normalize(csv("t.csv").a, by = csv("u.csv").a) > 0.5`. If `value` is not empty, it replaces the reader,
/// and operations that only choose rows are left out: `normalize(x) > 0.5`.
std::string expression_text(const schema::DataExpression& expression, const std::string& value = "");

}  // namespace data
