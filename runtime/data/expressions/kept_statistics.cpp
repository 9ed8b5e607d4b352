#include "runtime/data/expressions/kept_statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "runtime/shared/failure.h"

namespace data {
namespace {

using nlohmann::json;

constexpr const char* statistics_key = "statistics";

bool is_normalize(const json& expression) {
  return expression.is_object() && expression.value("op", "") == "normalize";
}

/// Calls `visit` for every `normalize` in the expression, inner ones first. It does not look into
/// `statistics`, which is not an expression.
template <typename Json>
void for_each_normalize(Json& expression, const std::function<void(Json&)>& visit) {
  if (!expression.is_structured()) return;
  if (expression.is_object()) {
    for (auto entry = expression.begin(); entry != expression.end(); ++entry)
      if (entry.key() != statistics_key) for_each_normalize<Json>(entry.value(), visit);
    if (is_normalize(expression)) visit(expression);
    return;
  }
  for (auto& part : expression) for_each_normalize<Json>(part, visit);
}

/// The text of the table whose statistics are needed, without any statistics that were put into it.
std::string table_text(const json& normalize) {
  json table = normalize.at(normalize.contains("by") ? "by" : "table");
  for_each_normalize<json>(table, [](json& inner) { inner.erase(statistics_key); });
  return table.dump();
}

}  // namespace

bool needs_statistics(const json& expression) {
  bool needed = false;
  for_each_normalize<const json>(
      expression, [&](const json& normalize) { needed |= !normalize.contains(statistics_key); });
  return needed;
}

void find_statistics(const json& expression, Context& context, KeptStatistics& kept) {
  for_each_normalize<const json>(expression, [&](const json& normalize) {
    const std::string text = table_text(normalize);
    if (kept.contains(text)) return;
    const Value table = evaluate(normalize.at(normalize.contains("by") ? "by" : "table"), context);
    if (!std::holds_alternative<Table>(table)) throw Failure(Exit::internal, "a number has no statistics");
    kept[text] = to_json(statistics_of(std::get<Table>(table)));
  });
}

void put_statistics(json& expression, const KeptStatistics& kept) {
  for_each_normalize<json>(expression, [&](json& normalize) {
    const auto found = kept.find(table_text(normalize));
    if (found != kept.end()) normalize[statistics_key] = found->second;
  });
}

void collect_statistics(const json& expression, KeptStatistics& kept) {
  for_each_normalize<const json>(expression, [&](const json& normalize) {
    if (normalize.contains(statistics_key)) kept[table_text(normalize)] = normalize.at(statistics_key);
  });
}

json to_json(const TableStatistics& statistics) {
  json columns = json::array();
  for (const ColumnStatistics& column : statistics)
    columns.push_back({{"name", column.name},
                       {"shape", column.shape},
                       {"means", column.means},
                       {"deviations", column.deviations}});
  return columns;
}

TableStatistics statistics_from(const json& text, const std::string& where) {
  const auto refuse = [&](const std::string& cause) {
    return Failure(Exit::bad_data,
                   fmt::format("{}: the statistics of `normalize` are broken: {}", where, cause));
  };
  TableStatistics statistics;
  try {
    for (const json& column : text) {
      statistics.push_back(
          {column.at("name"), column.at("shape"), column.at("means"), column.at("deviations")});
      const ColumnStatistics& read = statistics.back();
      const auto elements = static_cast<size_t>(element_count(read.shape, where));
      const bool fits = read.means.size() == read.deviations.size() &&
                        (read.means.empty() || read.means.size() == elements);
      const bool positive = std::ranges::all_of(read.deviations, [](double n) { return n > 0; });
      if (!fits || !positive) throw refuse(fmt::format("column `{}`", read.name));
    }
  } catch (const json::exception& error) {
    throw refuse(error.what());
  }
  return statistics;
}

}  // namespace data
