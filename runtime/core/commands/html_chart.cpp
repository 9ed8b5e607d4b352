#include "runtime/core/commands/html_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "runtime/core/commands/html.h"

namespace core {
namespace {

constexpr double width = 640, height = 260, left = 80, right = 20, bottom = 40, top = 10;  // in pixels

std::optional<double> number(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), '_'), text.end());
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

/// Where each value stands, from 0 to 1.
std::map<std::string, double> places_of(const std::vector<std::string>& values) {
  std::vector<double> numbers;
  for (const std::string& value : values)
    if (const auto found = number(value)) numbers.push_back(*found);
  if (numbers.size() != values.size()) {
    numbers.clear();
    for (size_t i = 0; i < values.size(); ++i) numbers.push_back(static_cast<double>(i));
  } else {
    const auto [least, most] = std::minmax_element(numbers.begin(), numbers.end());
    if (*least > 0 && *most >= 20 * *least)
      for (double& each : numbers) each = std::log(each);
  }
  const auto [least, most] = std::minmax_element(numbers.begin(), numbers.end());
  const double low = *least, range = *most - *least;
  std::map<std::string, double> places;
  for (size_t i = 0; i < values.size(); ++i) places[values[i]] = range > 0 ? (numbers[i] - low) / range : 0.5;
  return places;
}

}  // namespace

bool are_numbers(const std::vector<std::string>& values) {
  return std::all_of(values.begin(), values.end(),
                     [](const std::string& value) { return number(value).has_value(); });
}

std::string html_chart(const std::string& axis, const std::vector<std::string>& values,
                       const std::vector<ChartLine>& lines) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const ChartLine& line : lines)
    for (const ChartPoint& point : line.points) {
      low = std::min(low, point.mean - point.deviation);
      high = std::max(high, point.mean + point.deviation);
    }
  if (!(low <= high)) return "";
  const double range = std::max(high - low, 1e-9 * std::max(1.0, std::abs(high)));
  const auto down = [&](double y) { return top + (height - bottom - top) * (high - y) / range; };
  const std::map<std::string, double> places = places_of(values);
  const auto across = [&](const std::string& value) {
    return left + 20 + (width - left - right - 40) * places.at(value);
  };
  std::string svg = fmt::format(R"(<svg viewBox="0 0 {0} {1}" width="{0}" height="{1}">)", width, height);
  for (const std::string& value : values)
    svg += fmt::format(R"(<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>)", across(value),
                       height - bottom + 18, html_escaped(value));
  svg += fmt::format(R"(<text x="{}" y="{}" text-anchor="end">{}</text>)", width - right, height - 4,
                     html_escaped(axis));
  for (const auto& [y, shown] : {std::pair(top + 5, high), {height - bottom, low}})
    svg += fmt::format(R"(<text x="0" y="{}">{:.4g}</text>)", y, shown);
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string colour = html_colour(i);
    std::string path;
    for (const ChartPoint& point : lines[i].points) {
      const double x = across(point.value), y = down(point.mean);
      path += fmt::format("{:.1f},{:.1f} ", x, y);
      svg +=
          fmt::format(R"(<circle cx="{0:.1f}" cy="{1:.1f}" r="3" fill="{4}"/>)"
                      R"(<line x1="{0:.1f}" x2="{0:.1f}" y1="{2:.1f}" y2="{3:.1f}" stroke="{4}"/>)",
                      x, y, down(point.mean - point.deviation), down(point.mean + point.deviation), colour);
    }
    svg += fmt::format(R"(<polyline points="{}" fill="none" stroke="{}" stroke-width="1.5"/>)", path, colour);
    if (lines.size() > 1)
      svg += fmt::format(R"(<text x="{}" y="{}" fill="{}" text-anchor="end">{}</text>)", width - right,
                         top + 14 * static_cast<double>(i + 1), colour, html_escaped(lines[i].name));
  }
  return svg + "</svg>\n";
}

}  // namespace core
