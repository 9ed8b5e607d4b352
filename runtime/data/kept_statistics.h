// Statistics of `normalize` that stand in a data expression, {"op":"normalize","table":E,"statistics":[...]},
// so that their table need not be read: found once, kept with a trained model.
#pragma once
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "runtime/data/evaluate.h"
#include "runtime/data/statistics.h"

namespace data {

/// By the table's expression as text.
using KeptStatistics = std::map<std::string, nlohmann::json>;

/// Whether some `normalize` of the expression has no statistics yet.
bool needs_statistics(const nlohmann::json& expression);
/// Adds those of each `normalize` in the expression, where they are not there already.
void find_statistics(const nlohmann::json& expression, Context& context, KeptStatistics& kept);
/// Puts those that are kept into each `normalize` without.
void put_statistics(nlohmann::json& expression, const KeptStatistics& kept);
/// The statistics that stand in the expression.
void collect_statistics(const nlohmann::json& expression, KeptStatistics& kept);

nlohmann::json to_json(const TableStatistics& statistics);
/// Failure(bad_data) naming `where` they are from, if the text is not what to_json gives.
TableStatistics statistics_from(const nlohmann::json& text, const std::string& where);

}  // namespace data
