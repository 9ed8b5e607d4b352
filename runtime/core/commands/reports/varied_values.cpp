#include "runtime/core/commands/reports/varied_values.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace core {
namespace {

std::optional<double> number(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), '_'), text.end());
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace

bool are_numbers(const std::vector<std::string>& values) {
  return std::all_of(values.begin(), values.end(),
                     [](const std::string& value) { return number(value).has_value(); });
}

std::vector<std::pair<double, std::string>> places_of(const std::vector<std::string>& values) {
  std::vector<double> numbers;
  for (const std::string& value : values)
    if (const auto found = number(value)) numbers.push_back(*found);
  if (numbers.size() != values.size()) {
    numbers.clear();
    for (size_t i = 0; i < values.size(); ++i) numbers.push_back(static_cast<double>(i));
  } else if (!numbers.empty()) {
    const auto [least, most] = std::minmax_element(numbers.begin(), numbers.end());
    if (*least > 0 && *most >= 20 * *least)
      for (double& each : numbers) each = std::log(each);
  }
  std::vector<std::pair<double, std::string>> places;
  for (size_t i = 0; i < values.size(); ++i) places.emplace_back(numbers[i], values[i]);
  return places;
}

}  // namespace core
