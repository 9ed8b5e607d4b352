#include "runtime/data/expressions/expression_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <vector>

#include "runtime/data/expressions/arguments.h"

namespace data {
namespace {

using nlohmann::json;

const std::map<std::string, std::string> symbols = {
    {"add", "+"},           {"subtract", "-"},       {"multiply", "*"}, {"divide", "/"},
    {"modulo", "%"},        {"power", "**"},         {"less", "<"},     {"less_equal", "<="},
    {"greater", ">"},       {"greater_equal", ">="}, {"equal", "=="},   {"not_equal", "!="},
    {"logical_and", "and"}, {"logical_or", "or"}};
const std::map<std::string, std::string> names = {{"minimum", "min"}, {"maximum", "max"}};

struct Writer {
  const std::string& value;

  bool is_operator(const json& expression) const {
    const std::string op = expression.value("op", "");
    return symbols.contains(op) || op == "negate" || op == "logical_not";
  }

  std::string operand(const json& expression) const {
    const std::string text = write(expression);
    return is_operator(expression) ? "(" + text + ")" : text;
  }

  std::string call(const std::string& name, const json& expression, std::vector<std::string> parts) const {
    for (const json& argument : expression.value("args", json::array()))
      parts.push_back(argument.is_structured() ? write(argument) : argument.dump());
    const json named = expression.value("named", json::object());
    for (const auto& [key, argument] : named.items())
      parts.push_back(key + " = " + (argument.is_object() ? write(argument) : argument.dump()));
    return fmt::format("{}({})", name, fmt::join(parts, ", "));
  }

  std::string of_table(const std::string& op, const json& expression) const {
    std::string table = write(expression.at("table"));
    if (op == "normalize")
      return expression.contains("by")
                 ? fmt::format("normalize({}, by = {})", table, expression_text(expression.at("by")))
                 : fmt::format("normalize({})", table);
    if (!value.empty()) return table;
    if (op == "column") return table + "." + expression.at("name").get<std::string>();
    if (op == "rows") {
      const auto bound = [&](const char* key) {
        const json limit = expression.value(key, json());
        return limit.is_null() ? std::string() : limit.is_object() ? write(limit) : limit.dump();
      };
      return fmt::format("{}[{} : {}]", table, bound("begin"), bound("end"));
    }
    if (op == "where") return fmt::format("where({}, {})", table, write(expression.at("condition")));
    return call(op, expression, {table});
  }

  std::string write(const json& expression) const {
    if (!expression.is_object()) return expression.dump();
    const std::string op = expression.value("op", "");
    if (op == "number") return fmt::format("{}", expression.at("value").get<double>());
    if (op == "reader") {
      const std::string name = expression.at("name");
      return value.empty() ? Arguments(name, expression).written() : value;
    }
    if (expression.contains("table")) return of_table(op, expression);
    const json& arguments = expression.at("args");
    if (const auto symbol = symbols.find(op); symbol != symbols.end() && arguments.size() == 2)
      return fmt::format("{} {} {}", operand(arguments[0]), symbol->second, operand(arguments[1]));
    if (op == "negate") return "-" + operand(arguments[0]);
    if (op == "logical_not") return "not " + operand(arguments[0]);
    const auto name = names.find(op);
    return call(name == names.end() ? op : name->second, expression, {});
  }
};

}  // namespace

std::string expression_text(const json& expression, const std::string& value) {
  return Writer{value}.write(expression);
}

}  // namespace data
