#include "runtime/data/expressions/expression_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <vector>

#include "runtime/data/expressions/arguments.h"

namespace data {
namespace {

const std::map<std::string, std::string> symbols = {
    {"add", "+"},           {"subtract", "-"},       {"multiply", "*"}, {"divide", "/"},
    {"modulo", "%"},        {"power", "**"},         {"less", "<"},     {"less_equal", "<="},
    {"greater", ">"},       {"greater_equal", ">="}, {"equal", "=="},   {"not_equal", "!="},
    {"logical_and", "and"}, {"logical_or", "or"}};
const std::map<std::string, std::string> names = {{"minimum", "min"}, {"maximum", "max"}};

using schema::DataExpression;

struct Writer {
  const std::string& value;

  static bool is_operator(const DataExpression& expression) {
    const auto* operation = expression.as<schema::Elementwise>();
    return operation &&
           (symbols.contains(operation->op) || operation->op == "negate" || operation->op == "logical_not");
  }

  std::string operand(const DataExpression& expression) const {
    const std::string text = write(expression);
    return is_operator(expression) ? "(" + text + ")" : text;
  }

  std::string operator()(const schema::Number& number) const { return fmt::format("{}", number.value); }

  std::string operator()(const schema::Reader& reader) const {
    return value.empty() ? Arguments(reader.name, reader).written() : value;
  }

  std::string operator()(const schema::TableColumn& column) const {
    const std::string table = write(*column.table);
    return value.empty() ? table + "." + column.name : table;
  }

  std::string operator()(const schema::TableRows& rows) const {
    const std::string table = write(*rows.table);
    const auto bound = [](std::optional<int64_t> row) { return row ? fmt::to_string(*row) : ""; };
    return value.empty() ? fmt::format("{}[{} : {}]", table, bound(rows.begin), bound(rows.end)) : table;
  }

  std::string operator()(const schema::Where& where) const {
    const std::string table = write(*where.table);
    return value.empty() ? fmt::format("where({}, {})", table, write(*where.condition)) : table;
  }

  std::string operator()(const schema::Without& without) const {
    const std::string table = write(*without.table);
    return value.empty() ? fmt::format("without({}, {})", table, write(*without.other)) : table;
  }

  std::string operator()(const schema::Normalize& normalize) const {
    const std::string table = write(*normalize.table);
    return normalize.by ? fmt::format("normalize({}, by = {})", table, expression_text(**normalize.by))
                        : fmt::format("normalize({})", table);
  }

  std::string operator()(const schema::Arranged& arranged) const {
    const std::string table = write(*arranged.table);
    return value.empty() ? Arguments(schema::word_of(arranged.op), arranged).written(table) : table;
  }

  std::string operator()(const schema::Elementwise& elementwise) const {
    const std::string& op = elementwise.op;
    const std::vector<DataExpression>& arguments = elementwise.args;
    if (const auto symbol = symbols.find(op); symbol != symbols.end() && arguments.size() == 2)
      return fmt::format("{} {} {}", operand(arguments[0]), symbol->second, operand(arguments[1]));
    if (op == "negate" && !arguments.empty()) return "-" + operand(arguments[0]);
    if (op == "logical_not" && !arguments.empty()) return "not " + operand(arguments[0]);
    const auto name = names.find(op);
    std::vector<std::string> parts;
    for (const DataExpression& argument : arguments) parts.push_back(write(argument));
    return fmt::format("{}({})", name == names.end() ? op : name->second, fmt::join(parts, ", "));
  }

  std::string operator()(const schema::Noise& noise) const {
    if (noise.op == schema::Noise::Kind::binarize)
      return fmt::format("{}({})", schema::word_of(noise.op), write(*noise.data));
    return fmt::format("{}({}, {})", schema::word_of(noise.op), write(*noise.data), noise.amount);
  }

  std::string write(const DataExpression& expression) const { return std::visit(*this, expression.kind); }
};

}  // namespace

std::string expression_text(const DataExpression& expression, const std::string& value) {
  return Writer{value}.write(expression);
}

}  // namespace data
