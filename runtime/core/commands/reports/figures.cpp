#include "runtime/core/commands/reports/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/shared/printable.h"

namespace core {
using nlohmann::json;

namespace {

std::string name_of(const json& result) {
  const std::string metric = result.at("metric"), of = result.value("of", "");
  // For `loglik`, `of` is the full name.
  const std::string what = metric == "loglik" || of.empty() ? (of.empty() ? metric : of) : metric + " " + of;
  return fmt::format("{}@{}", what, result.value("source", ""));
}

/// A figure that is not finite is null in JSON.
double number_of(const json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

std::string number_text(double value) {
  const double size = std::abs(value);
  if (size >= 100) return fmt::format("{:.1f}", value);
  return size >= 1 ? fmt::format("{:.3f}", value) : fmt::format("{:.4g}", value);
}

}  // namespace

std::vector<Quantity> quantities_of(const json& result) {
  if (result.contains("mean")) return {{name_of(result), number_of(result["mean"])}};
  if (result.contains("samples")) {
    std::vector<Quantity> found;
    const std::string distance = result.value("distance", "fd");
    for (const json& sample : result["samples"])
      found.push_back(
          {fmt::format("{} {}, {}", distance, sample.value("codes", ""), sample.value("values", "")),
           number_of(sample.at("value"))});
    found.push_back({distance + " floor", number_of(result.at("floor").at("value"))});
    return found;
  }
  if (result.contains("on_samples"))
    return {{name_of(result) + " on samples", number_of(result["on_samples"].at("value"))},
            {name_of(result) + " on data", number_of(result["on_data"].at("value"))}};
  if (result.contains("value")) return {{name_of(result), number_of(result["value"])}};
  return {};
}

Spread spread_of(const std::vector<double>& numbers) {
  Spread spread;
  for (const double number : numbers) spread.mean += number / static_cast<double>(numbers.size());
  for (const double number : numbers) spread.deviation += (number - spread.mean) * (number - spread.mean);
  if (numbers.size() > 1)
    spread.deviation = std::sqrt(spread.deviation / static_cast<double>(numbers.size() - 1));
  return spread;
}

std::string cell_text(const std::vector<double>* numbers) {
  if (!numbers) return "-";
  const Spread spread = spread_of(*numbers);
  if (!std::isfinite(spread.mean)) return not_finite_text;
  if (numbers->size() == 1) return number_text(spread.mean);
  return number_text(spread.mean) + " +- " + fmt::format("{:.2g}", spread.deviation);
}

void print_aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths(rows[0].size());
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  for (const auto& row : rows) {
    std::string line = fmt::format("{:<{}}", row[0], widths[0]);
    for (size_t i = 1; i < row.size(); ++i) line += fmt::format("  {:>{}}", row[i], widths[i]);
    fmt::print("{}\n", printable(line));
  }
}

}  // namespace core
