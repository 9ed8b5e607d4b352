// Finds readers in data expressions, for compiler and runtime. A call has its positional arguments in "args"
// and its named arguments in "named".
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

inline bool is_reader(const nlohmann::json& expression, const char* name) {
  return expression.is_object() && expression.value("op", "") == "reader" &&
         expression.value("name", "") == name;
}

inline std::string reader_argument(const nlohmann::json& reader, size_t place, const char* name) {
  const nlohmann::json& given = reader.at("args");
  return (given.size() > place ? given.at(place) : reader.at("named").at(name)).get<std::string>();
}

/// The NAME of `peer("NAME")`; empty for any other reader.
inline std::optional<std::string> peer_of(const nlohmann::json& reader) {
  if (!is_reader(reader, "peer")) return {};
  return reader_argument(reader, 0, "name");
}

/// The first call of reader `name` in a data expression, or null if there is none.
inline const nlohmann::json* find_reader(const nlohmann::json& expression, const char* name) {
  if (!expression.is_structured()) return nullptr;
  if (expression.is_object() && expression.value("op", "") == "reader")
    return is_reader(expression, name) ? &expression : nullptr;
  for (const nlohmann::json& part : expression)
    if (const nlohmann::json* found = find_reader(part, name)) return found;
  return nullptr;
}

/// Whether the rows are drawn anew at every step: by another trained model (`run`) or by a peer (`peer`).
inline bool is_drawn_at_every_step(const nlohmann::json& expression) {
  return find_reader(expression, "run") || find_reader(expression, "peer");
}
