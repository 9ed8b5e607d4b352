// Statistics of `normalize` inside a data expression. They are computed once and kept with a trained model,
// so that their table need not be read again.
#pragma once
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "runtime/data/expressions/evaluate.h"
#include "runtime/data/expressions/statistics.h"

namespace data {

/// Statistics by the text of their table's expression.
using KeptStatistics = std::map<std::string, TableStatistics>;

/// Whether some `normalize` of the expression has no statistics in it.
bool needs_statistics(const schema::DataExpression& expression);
/// Adds to `kept` the statistics of each `normalize` in the expression, unless they are there already.
void find_statistics(const schema::DataExpression& expression, Context& context, KeptStatistics& kept);
/// Puts statistics from `kept` into each `normalize` of the expression.
void put_statistics(schema::DataExpression& expression, const KeptStatistics& kept);
/// Adds to `kept` the statistics that stand in the expression.
void collect_statistics(const schema::DataExpression& expression, KeptStatistics& kept);

/// Failure(bad_data) naming `where` they are from, if the numbers do not fit their shapes or a deviation is
/// not above 0.
void check_statistics(const TableStatistics& statistics, const std::string& where);
/// Reads statistics that schema::write wrote. Failure(bad_data) naming `where` the text is from, if it is
/// malformed.
TableStatistics statistics_from(const nlohmann::json& text, const std::string& where);

}  // namespace data
