#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/core/commands/plots/plot.h"
#include "runtime/core/run/terminal.h"

namespace core {
namespace {

constexpr double margin_top = 12, margin_right = 16, axis_name = 24, slant = 0.5;

/// A number, as short as the distance between ticks allows: 20k, -1.5, 0.002.
std::string tick_text(double value, double distance) {
  if (std::abs(value) < distance * 1e-6) return "0";
  const double size = std::abs(value);
  if (distance < size * 1e-5) return fmt::format("{:.8g}", value);
  if (size >= 1e7 || size < 1e-4) return fmt::format("{:.3g}", value);
  if (size >= 1e4 && std::fmod(size, 1000) < 1e-6 && std::fmod(distance, 1000) < 1e-6)
    return fmt::format("{:.0f}k", value / 1000);
  const int decimals = std::max(0, static_cast<int>(std::ceil(-std::log10(distance) - 1e-9)));
  return fmt::format("{:.{}f}", value, decimals);
}

/// About `count` values from `low` to `high`, at distances of 1, 2 or 5 times a power of ten.
std::vector<std::pair<double, std::string>> ticks_of(double low, double high, int count, bool whole) {
  const double rough = (high - low) / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double distance = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= rough * 0.999) {
      distance = factor * power;
      break;
    }
  if (whole) distance = std::max(distance, 1.0);
  std::vector<std::pair<double, std::string>> ticks;
  for (double i = std::ceil(low / distance - 1e-9); i * distance <= high + 1e-9 * distance; ++i)
    ticks.emplace_back(i * distance, tick_text(i * distance, distance));
  return ticks;
}

double width_of(const std::string& text, double letter) {
  return letter * static_cast<double>(columns_of(text));
}

}  // namespace

void PlotFrame::Range::add(double value) {
  if (!std::isfinite(value)) return;
  low = std::min(low, value);
  high = std::max(high, value);
}

/// Makes the range wider if it is almost empty, so that a flat line is in the middle.
void PlotFrame::Range::widen() {
  if (high - low > 1e-9 * std::max(std::abs(low), std::abs(high))) return;
  const double reach = std::max(std::abs(low) * 0.1, 1e-3);
  low -= reach;
  high += reach;
}

PlotFrame::PlotFrame(const Plot& plot, double width, double height, double letter)
    : x_{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}, y_(x_) {
  for (const PlotLayer& layer : plot.layers)
    for (const PlotPoint& point : layer.points)
      if (std::isfinite(point.x) && std::isfinite(point.y)) {
        x_.add(point.x);
        y_.add(point.y - point.spread);
        y_.add(point.y + point.spread);
      }
  if (is_empty()) return;
  if (plot.whole_steps) x_.add(0);
  for (const auto& [value, text] : plot.x_labels) x_.add(value);
  if (!plot.x_labels.empty()) {
    const double beside = std::max(0.06 * (x_.high - x_.low), 1e-3);
    x_.low -= beside;
    x_.high += beside;
  }
  x_.widen();
  y_.widen();
  y_ticks = ticks_of(y_.low, y_.high, 5, false);
  double longest = 0;
  for (const auto& [value, text] : y_ticks) longest = std::max(longest, width_of(text, letter));
  left = axis_name + 8 + longest;
  right = width - margin_right;
  top = margin_top;
  x_ticks = plot.x_labels.empty() ? ticks_of(x_.low, x_.high, 5, plot.whole_steps) : plot.x_labels;
  double all = 0, most = 0;
  for (const auto& [value, text] : x_ticks) {
    all += width_of(text, letter) + 2 * letter;
    most = std::max(most, width_of(text, letter));
  }
  slanted = all > right - left;
  // A slanted text ends below its tick, so the first one may reach beyond the left margin.
  if (slanted) left = std::max(left, std::min(most * 0.87, width / 3));
  bottom = height - axis_name - 18 - (slanted ? std::min(most * slant, height / 3) : 0);
}

bool PlotFrame::is_empty() const { return !(x_.low <= x_.high) || !(y_.low <= y_.high); }

double PlotFrame::x_at(double value) const {
  return left + (right - left) * (value - x_.low) / (x_.high - x_.low);
}

double PlotFrame::y_at(double value) const {
  return bottom - (bottom - top) * (value - y_.low) / (y_.high - y_.low);
}

}  // namespace core
