#include "runtime/schema/json_fields.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "runtime/shared/failure.h"
#include "runtime/shared/printable.h"

namespace schema {
namespace {
using nlohmann::json;

/// The value as it stands in the file; a long one is cut.
std::string shown(const json& value) {
  const std::string text = json_text(value);
  return text.size() <= 60 ? text : text.substr(0, 57) + "...";
}

}  // namespace

std::string json_text(const json& value, int indent) {
  const std::string written = value.dump(indent, ' ', false, json::error_handler_t::replace);
  // JSON escapes only the control characters of ASCII, but a terminal obeys more of them (printable.h).
  std::string text;
  for (std::string_view rest = written; !rest.empty();) {
    const CodePoint point = first_code_point(rest);
    if (point.value < 0x7F || !is_obeyed(point.value)) {
      text += rest.substr(0, point.bytes);
    } else if (point.value < 0x10000) {
      text += fmt::format("\\u{:04x}", static_cast<uint32_t>(point.value));
    } else {
      const uint32_t above = static_cast<uint32_t>(point.value) - 0x10000;
      text += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (above >> 10), 0xDC00 + (above & 0x3FF));
    }
    rest.remove_prefix(point.bytes);
  }
  return text;
}

JsonFields::JsonFields(const json& object, std::string where, std::string path)
    : object_(object), where_(std::move(where)), path_(std::move(path)) {
  if (!object_.is_object())
    throw Failure(Exit::bad_data, path_.empty() ? fmt::format("{} holds no JSON object", where_)
                                                : fmt::format("{}: \"{}\" is {}: an object is needed", where_,
                                                              path_, shown(object_)));
}

void JsonFields::refuse(const std::string& key, const std::string& needed) const {
  const std::string path = path_.empty() ? key : path_ + "." + key;
  if (!has(key))
    throw Failure(Exit::bad_data, fmt::format("{}: \"{}\" is missing: {} is needed", where_, path, needed));
  throw Failure(Exit::bad_data,
                fmt::format("{}: \"{}\" is {}: {} is needed", where_, path, shown(object_.at(key)), needed));
}

const json& JsonFields::at(const std::string& key) const {
  static const json none;
  const auto found = object_.find(key);
  return found == object_.end() ? none : *found;
}

int64_t JsonFields::whole(const std::string& key, WholeRange range) const {
  const json& value = at(key);
  const bool fits = value.is_number_unsigned()
                        ? value.get<uint64_t>() <= static_cast<uint64_t>(range.most)
                        : value.is_number_integer() && value.get<int64_t>() <= range.most;
  if (!fits || value.get<int64_t>() < range.least)
    refuse(key, fmt::format("a whole number from {} to {}", range.least, range.most));
  return value.get<int64_t>();
}

int64_t JsonFields::whole(const std::string& key, WholeRange range, int64_t absent) const {
  return has(key) ? whole(key, range) : absent;
}

double JsonFields::real(const std::string& key, double least, double most) const {
  const json& value = at(key);
  if (!value.is_number() || !std::isfinite(value.get<double>()) || value.get<double>() < least ||
      value.get<double>() > most)
    refuse(key, fmt::format("a number from {} to {}", least, most));
  return value.get<double>();
}

double JsonFields::real(const std::string& key, double least, double most, double absent) const {
  return has(key) ? real(key, least, most) : absent;
}

bool JsonFields::flag(const std::string& key, bool absent) const {
  if (!has(key)) return absent;
  if (!at(key).is_boolean()) refuse(key, "true or false");
  return at(key).get<bool>();
}

std::string JsonFields::text(const std::string& key) const {
  if (!at(key).is_string()) refuse(key, "a text");
  return at(key).get<std::string>();
}

std::string JsonFields::text(const std::string& key, const std::string& absent) const {
  return has(key) ? text(key) : absent;
}

std::string JsonFields::word(const std::string& key, const std::vector<std::string>& words) const {
  const json& value = at(key);
  if (!value.is_string() || std::find(words.begin(), words.end(), value.get<std::string>()) == words.end())
    refuse(key, fmt::format("one of {}", fmt::join(words, ", ")));
  return value.get<std::string>();
}

std::string JsonFields::word(const std::string& key, const std::vector<std::string>& words,
                             const std::string& absent) const {
  return has(key) ? word(key, words) : absent;
}

std::vector<std::string> JsonFields::texts(const std::string& key) const {
  const json& value = at(key);
  if (!value.is_array() ||
      !std::all_of(value.begin(), value.end(), [](const json& v) { return v.is_string(); }))
    refuse(key, "a list of texts");
  return value.get<std::vector<std::string>>();
}

JsonFields JsonFields::object(const std::string& key) const {
  if (!at(key).is_object()) refuse(key, "an object");
  return {object_.at(key), where_, path_.empty() ? key : path_ + "." + key};
}

std::vector<std::string> JsonFields::keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object_.items()) keys.push_back(key);
  return keys;
}

}  // namespace schema
