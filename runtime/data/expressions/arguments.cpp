#include "runtime/data/expressions/arguments.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "runtime/shared/failure.h"

namespace data {
using nlohmann::json;

/// A compile-time value may arrive as a `number` expression; this gives its value.
static json plain(const json& value) {
  if (value.is_object() && value.value("op", "") == "number") return value.at("value");
  return value;
}

Arguments::Arguments(std::string call, const json& expression) : call_(std::move(call)) {
  if (auto args = expression.find("args"); args != expression.end())
    for (const json& value : *args) by_place_.push_back(plain(value));
  if (auto named = expression.find("named"); named != expression.end())
    for (const auto& [name, value] : named->items()) by_name_.emplace_back(name, plain(value));
}

const json* Arguments::find(size_t place, const std::string& name) const {
  if (place < by_place_.size()) return &by_place_[place];
  for (const auto& [other, value] : by_name_)
    if (other == name) return &value;
  return nullptr;
}

const json& Arguments::need(size_t place, const std::string& name) const {
  if (const json* value = find(place, name)) return *value;
  throw Failure(Exit::bad_configuration, fmt::format("{} needs its argument `{}`", call_, name));
}

void Arguments::wrong(const std::string& name, const std::string& expected, const json& got) const {
  throw Failure(Exit::bad_configuration,
                fmt::format("{}: `{}` must be {}, not {}", call_, name, expected, got.dump()));
}

std::string Arguments::text(size_t place, const std::string& name,
                            std::optional<std::string> otherwise) const {
  const json* given = find(place, name);
  if (otherwise && (!given || given->is_null())) return *otherwise;
  const json& value = need(place, name);
  if (!value.is_string()) wrong(name, "a string", value);
  return value.get<std::string>();
}

double Arguments::number(size_t place, const std::string& name, std::optional<double> otherwise) const {
  if (otherwise && !find(place, name)) return *otherwise;
  const json& value = need(place, name);
  if (!value.is_number()) wrong(name, "a number", value);
  return value.get<double>();
}

int64_t Arguments::integer(size_t place, const std::string& name, std::optional<int64_t> otherwise) const {
  if (otherwise && !find(place, name)) return *otherwise;
  const json& value = need(place, name);
  double real = value.is_number() ? value.get<double>() : 0.5;
  if (real != std::floor(real) || std::fabs(real) > 0x1p53) wrong(name, "an integer", value);
  return static_cast<int64_t>(real);
}

bool Arguments::truth(size_t place, const std::string& name, bool otherwise) const {
  const json* value = find(place, name);
  if (!value) return otherwise;
  if (!value->is_boolean()) wrong(name, "true or false", *value);
  return value->get<bool>();
}

std::optional<Shape> Arguments::sizes(size_t place, const std::string& name) const {
  const json* value = find(place, name);
  if (!value) return {};
  Shape sizes;
  for (const json& item : value->is_array() ? *value : json::array({*value})) {
    if (!plain(item).is_number_integer() || plain(item).get<int64_t>() < 1)
      wrong(name, "a list of sizes", *value);
    sizes.push_back(plain(item).get<int64_t>());
  }
  return sizes;
}

std::optional<std::vector<std::string>> Arguments::texts(size_t place, const std::string& name) const {
  const json* value = find(place, name);
  if (!value) return {};
  std::vector<std::string> texts;
  for (const json& item : value->is_array() ? *value : json::array({*value})) {
    if (!item.is_string() && !item.is_number_integer()) wrong(name, "a list of strings", *value);
    texts.push_back(item.is_string() ? item.get<std::string>() : item.dump());
  }
  return texts;
}

std::string Arguments::written() const {
  std::vector<std::string> parts;
  for (const json& value : by_place_)
    if (!value.is_object()) parts.push_back(value.dump());
  for (const auto& [name, value] : by_name_)
    if (name != hidden_indices && name != hidden_labels && name != hidden_labelled)
      parts.push_back(name + " = " + (value.is_null() ? "none" : value.dump()));
  return fmt::format("{}({})", call_, fmt::join(parts, ", "));
}

}  // namespace data
