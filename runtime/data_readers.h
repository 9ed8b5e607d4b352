// Readers in the data expressions that compiler and runtime share: a call has its arguments by place in
// "args", by name in "named".
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

/// NAME of `peer("NAME")`; none of another reader.
inline std::optional<std::string> peer_of(const nlohmann::json& reader) {
  if (!is_reader(reader, "peer")) return {};
  return reader_argument(reader, 0, "name");
}

/// The first call of the reader in a data expression, or null.
inline const nlohmann::json* find_reader(const nlohmann::json& expression, const char* name) {
  if (!expression.is_structured()) return nullptr;
  if (expression.is_object() && expression.value("op", "") == "reader")
    return is_reader(expression, name) ? &expression : nullptr;
  for (const nlohmann::json& part : expression)
    if (const nlohmann::json* found = find_reader(part, name)) return found;
  return nullptr;
}

/// Its rows are new ones at every step: another model's, or a peer's.
inline bool is_drawn_at_every_step(const nlohmann::json& expression) {
  return find_reader(expression, "run") || find_reader(expression, "peer");
}
