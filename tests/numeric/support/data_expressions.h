// Data expressions for tests, from their text (runtime/image.md).
#pragma once
#include <nlohmann/json.hpp>

#include "runtime/data/expressions/evaluate.h"
#include "runtime/data/population.h"

namespace data_tests {
using nlohmann::json;

inline schema::DataExpression expression(const json& text) {
  return schema::read<schema::DataExpression>(text);
}
inline data::Value evaluate(const json& text, data::Context& context) {
  return data::evaluate(expression(text), context);
}
inline data::Column evaluate_column(const json& text, data::Context& context) {
  return data::evaluate_column(expression(text), context);
}
inline data::Population load(const json& text, const data::VariableSpec& variable, data::Context& context) {
  return data::load(expression(text), variable, context);
}

inline json number(double value) { return {{"op", "number"}, {"value", value}}; }
/// The lists are vectors, because of braces around a single json value g++ makes an array and clang a copy.
inline json call(const std::string& op, const std::vector<json>& args) {
  return {{"op", op}, {"args", args}};
}
inline json column(const json& table, const std::string& name) {
  return {{"op", "column"}, {"table", table}, {"name", name}};
}
inline json reader(const std::string& name, const std::vector<json>& args,
                   const json& named = json::object()) {
  return {{"op", "reader"}, {"name", name}, {"args", args}, {"named", named}};
}
inline json on_table(const std::string& op, const json& table, const std::vector<json>& args = {},
                     const json& named = json::object()) {
  return {{"op", op}, {"table", table}, {"args", args}, {"named", named}};
}
inline json rows(const json& table, const json& begin, const json& end) {
  return {{"op", "rows"}, {"table", table}, {"begin", begin}, {"end", end}};
}
inline json where(const json& table, const json& condition) {
  return {{"op", "where"}, {"table", table}, {"condition", condition}};
}
inline json without(const json& table, const json& other) {
  return {{"op", "without"}, {"table", table}, {"other", other}};
}
inline json normalize(const json& table, const json& by = nullptr) {
  return {{"op", "normalize"}, {"table", table}, {"by", by}, {"statistics", nullptr}};
}

}  // namespace data_tests
