// The text of a description. JSON has no infinity and no NaN: such a number x is written as {"float": "inf"},
// {"float": "-inf"} or {"float": "nan"}, and becomes a number again when it is read.
#pragma once
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

namespace schema {

/// Replaces every number that is not finite by its object, in place.
inline void mark_infinite(nlohmann::json& value) {
  if (value.is_structured()) {
    for (auto& part : value) mark_infinite(part);
  } else if (value.is_number_float()) {
    const double number = value.get<double>();
    if (!std::isfinite(number)) value = {{"float", std::isnan(number) ? "nan" : number > 0 ? "inf" : "-inf"}};
  }
}

/// Replaces every such object by its number, in place.
inline void restore_infinite(nlohmann::json& value) {
  if (!value.is_structured()) return;
  if (value.is_object() && value.size() == 1 && value.contains("float") && value["float"].is_string()) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const std::string text = value["float"];
    value = text == "inf" ? infinity : text == "-inf" ? -infinity : std::numeric_limits<double>::quiet_NaN();
    return;
  }
  for (auto& part : value) restore_infinite(part);
}

/// The JSON text in one line, with infinities and NaN marked. Bytes that are not UTF-8 are replaced.
inline std::string to_text(nlohmann::json value) {
  mark_infinite(value);
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// The value of such a text. Throws nlohmann::json::exception if it is no JSON.
inline nlohmann::json parse_text(const char* text, size_t size) {
  nlohmann::json value = nlohmann::json::parse(text, text + size);
  restore_infinite(value);
  return value;
}

}  // namespace schema
