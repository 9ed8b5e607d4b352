#include "runtime/core/commands/plots/sample_plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

namespace core {
namespace {
using nlohmann::json;

constexpr size_t bins = 24, most_plots = 24, most_labels = 12;
constexpr const char* sides[] = {"data", "model"};  // their indices are also their colours

struct Column {
  std::string label;
  bool discrete = false;
  std::vector<std::string> words;
  std::optional<std::vector<double>> values[2];  // for each side
};

std::vector<double> numbers_of(const json& values) {
  std::vector<double> numbers;
  for (const json& value : values)
    numbers.push_back(value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN());
  return numbers;
}

std::vector<Column> columns_of(const json& figures) {
  std::vector<Column> columns;
  for (const json& figure : figures.at("variables")) {
    if (figure.at("kind") != "columns") continue;
    for (size_t i = 0; i < figure.at("labels").size(); ++i) {
      Column column{
          figure["labels"][i], figure.at("discrete"), figure.value("words", std::vector<std::string>()), {}};
      for (size_t side = 0; side < 2; ++side)
        if (figure.contains(sides[side])) column.values[side] = numbers_of(figure[sides[side]].at(i));
      columns.push_back(std::move(column));
    }
  }
  return columns;
}

/// The range of the finite values of both sides; nothing if there are none.
std::optional<std::pair<double, double>> range_of(const Column& column) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const auto& values : column.values)
    for (const double value : values.value_or(std::vector<double>()))
      if (std::isfinite(value)) {
        low = std::min(low, value);
        high = std::max(high, value);
      }
  if (!(low <= high)) return std::nullopt;
  return std::pair(low, high);
}

std::optional<Plot> marginal(const Column& column) {
  auto range = range_of(column);
  if (!range) return std::nullopt;
  Plot plot{"Distribution of " + column.label, column.label, "share of rows", {}};
  size_t count = bins;
  if (column.discrete) {
    const double last =
        column.words.empty() ? std::max(range->second, 1.0) : static_cast<double>(column.words.size()) - 1;
    range = {-0.5, last + 0.5};
    count = static_cast<size_t>(std::lround(last)) + 1;
    if (count <= most_labels)
      for (size_t k = 0; k < count; ++k)
        plot.x_labels.emplace_back(k, column.words.empty() ? fmt::to_string(k) : column.words[k]);
  } else if (range->second - range->first < 1e-9) {
    const double reach = std::max(1e-3, 0.1 * std::abs(range->first));
    range = {range->first - reach, range->second + reach};
  }
  for (size_t side = 0; side < 2; ++side) {
    if (!column.values[side]) continue;
    const std::vector<PlotPoint> outline =
        histogram(*column.values[side], range->first, range->second, count);
    if (side == 0)
      plot.layers.push_back({PlotLayer::Mark::area, sides[side], outline, side});
    else
      plot.layers.push_back({PlotLayer::Mark::line, sides[side], outline, side});
  }
  return plot;
}

std::optional<Plot> scatter(const std::vector<Column>& columns) {
  std::vector<const Column*> shown;
  for (const Column& column : columns)
    if (!column.discrete && shown.size() < 2) shown.push_back(&column);
  if (shown.size() < 2) return std::nullopt;
  Plot plot{fmt::format("{} and {}", shown[0]->label, shown[1]->label), shown[0]->label, shown[1]->label, {}};
  for (size_t side = 0; side < 2; ++side) {
    const auto &x = shown[0]->values[side], &y = shown[1]->values[side];
    if (!x || !y) continue;
    PlotLayer layer{PlotLayer::Mark::dots, sides[side], {}, side};
    for (size_t i = 0; i < std::min(x->size(), y->size()); ++i) layer.points.push_back({(*x)[i], (*y)[i]});
    plot.layers.push_back(std::move(layer));
  }
  return plot;
}

Plot lines(const json& figure) {
  const std::string name = figure.at("name");
  Plot plot{
      "Rows of " + name, "element of " + name, figure.at("discrete").get<bool>() ? "class" : "value", {}};
  for (size_t side = 0; side < 2; ++side) {
    bool first = true;
    for (const json& row : figure.value(sides[side], json::array())) {
      PlotLayer layer{PlotLayer::Mark::line, first ? sides[side] : "", {}, side};
      const std::vector<double> numbers = numbers_of(row);
      for (size_t i = 0; i < numbers.size(); ++i)
        layer.points.push_back({static_cast<double>(i), numbers[i]});
      plot.layers.push_back(std::move(layer));
      first = false;
    }
  }
  return plot;
}

}  // namespace

std::vector<Plot> sample_plots(const json& figures) {
  std::vector<Plot> plots;
  const std::vector<Column> columns = columns_of(figures);
  if (auto plot = scatter(columns)) plots.push_back(std::move(*plot));
  for (const json& figure : figures.at("variables"))
    if (figure.at("kind") == "lines") plots.push_back(lines(figure));
  for (const Column& column : columns)
    if (auto plot = marginal(column); plot && plots.size() < most_plots) plots.push_back(std::move(*plot));
  return plots;
}

}  // namespace core
