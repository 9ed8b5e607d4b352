#include "runtime/data/expressions/kept_statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "runtime/shared/failure.h"

namespace data {
namespace {

using schema::DataExpression;
using schema::Normalize;

/// Calls `visit` for every `normalize` in the expression, inner ones first.
void for_each_normalize(auto& expression, const auto& visit) {
  schema::for_each_part(expression, [&](auto& part) { for_each_normalize(part, visit); });
  if (auto* normalize = expression.template as<Normalize>()) visit(*normalize);
}

const DataExpression& table_of_statistics(const Normalize& normalize) {
  return normalize.by ? **normalize.by : *normalize.table;
}

/// The text of the table whose statistics are needed, without any statistics that were put into it.
std::string table_text(const Normalize& normalize) {
  DataExpression table = table_of_statistics(normalize);
  for_each_normalize(table, [](Normalize& inner) { inner.statistics.reset(); });
  return schema::text_of(table);
}

Failure broken(const std::string& where, const std::string& cause) {
  return Failure(Exit::bad_data,
                 fmt::format("{}: the statistics of `normalize` are broken: {}", where, cause));
}

}  // namespace

bool needs_statistics(const DataExpression& expression) {
  bool needed = false;
  for_each_normalize(expression,
                     [&](const Normalize& normalize) { needed |= !normalize.statistics.has_value(); });
  return needed;
}

void find_statistics(const DataExpression& expression, Context& context, KeptStatistics& kept) {
  for_each_normalize(expression, [&](const Normalize& normalize) {
    const std::string text = table_text(normalize);
    if (kept.contains(text)) return;
    const Value table = evaluate(table_of_statistics(normalize), context);
    if (!std::holds_alternative<Table>(table)) throw Failure(Exit::internal, "a number has no statistics");
    kept[text] = statistics_of(std::get<Table>(table));
  });
}

void put_statistics(DataExpression& expression, const KeptStatistics& kept) {
  for_each_normalize(expression, [&](Normalize& normalize) {
    const auto found = kept.find(table_text(normalize));
    if (found != kept.end()) normalize.statistics = found->second;
  });
}

void collect_statistics(const DataExpression& expression, KeptStatistics& kept) {
  for_each_normalize(expression, [&](const Normalize& normalize) {
    if (normalize.statistics) kept[table_text(normalize)] = *normalize.statistics;
  });
}

void check_statistics(const TableStatistics& statistics, const std::string& where) {
  for (const ColumnStatistics& column : statistics) {
    const auto elements = static_cast<size_t>(element_count(column.shape, where));
    const bool fits = column.means.size() == column.deviations.size() &&
                      (column.means.empty() || column.means.size() == elements);
    const bool positive = std::ranges::all_of(column.deviations, [](double n) { return n > 0; });
    if (!fits || !positive) throw broken(where, fmt::format("column `{}`", column.name));
  }
}

TableStatistics statistics_from(const nlohmann::json& text, const std::string& where) {
  TableStatistics statistics;
  try {
    schema::read(text, statistics, schema::Place{});
  } catch (const schema::Malformed& error) {
    throw broken(where, error.what());
  }
  check_statistics(statistics, where);
  return statistics;
}

}  // namespace data
