#include "compiler/semantics/data/data_expression.h"

#include <algorithm>
#include <cctype>
#include <climits>

#include "compiler/semantics/data/data_functions.h"
#include "runtime/shared/nearest_float.h"
#include "runtime/shared/nearest_name.h"

namespace semantics {
namespace {
using namespace syntax;
using nlohmann::json;

/// What the data draw anew at every step, in words; empty for tables that are read once.
std::string drawn_at_every_step(const json& data) {
  if (!data.is_structured()) return "";
  if (data.is_object() && data.value("op", "") == "reader") {
    if (data.value("name", "") == "run") return "rows of another trained model are drawn";
    return data.value("name", "") == "peer" ? "rows of a peer are taken" : "";
  }
  for (const json& part : data)
    if (const std::string found = drawn_at_every_step(part); !found.empty()) return found;
  return "";
}

/// The columns that a table has. Empty for a value; none if only the runtime can know them.
std::optional<std::vector<std::string>> columns_of(const json& data) {
  const std::string op = data.at("op");
  if (op == "reader") {
    const DataFunction* reader = find_data_function(data.at("name"));
    if (reader->columns.empty()) return std::nullopt;
    return reader->columns;
  }
  if (op != "column" && data.contains("table")) return columns_of(data.at("table"));
  return std::vector<std::string>();
}

Value data_value(json data, base::Span span) {
  Value value;
  value.kind = Value::Kind::data;
  value.data = std::move(data);
  value.span = span;
  return value;
}

// A table that is made from other tables contains their expressions. Later stages walk through them without a
// check.
constexpr size_t deepest_data = 1000, most_data = 10'000;

/// How many operations a data expression has, including itself, and how deep they nest.
struct DataSize {
  size_t operations = 0, depth = 0;
};
DataSize size_of(const json& data) {
  DataSize size;
  if (!data.is_structured()) return size;
  for (const json& part : data) {
    const DataSize inner = size_of(part);
    size.operations += inner.operations;
    size.depth = std::max(size.depth, inner.depth);
  }
  if (data.is_object() && data.contains("op")) ++size.operations, ++size.depth;
  return size;
}

json to_json(const Value& value) {
  switch (value.kind) {
    case Value::Kind::integer:
      return value.integer;
    case Value::Kind::real:
      return value.real;
    case Value::Kind::boolean:
      return value.boolean;
    case Value::Kind::string:
      return value.text;
    case Value::Kind::list: {
      json list = json::array();
      for (const Value& item : value.items) list.push_back(to_json(item));
      return list;
    }
    default:
      return nullptr;
  }
}

const char* expected(ArgumentKind kind) {
  switch (kind) {
    case ArgumentKind::string:
      return "a string";
    case ArgumentKind::integer:
      return "an integer";
    case ArgumentKind::real:
      return "a number";
    case ArgumentKind::boolean:
      return "true or false";
    case ArgumentKind::strings:
      return "a list of strings";
    case ArgumentKind::sizes:
      return "a positive integer or a list of two";
    case ArgumentKind::split:
      return "\"train\", \"test\" or \"all\"";
    case ArgumentKind::data:
      return "data";
    case ArgumentKind::character:
      return "one character, no quote and no line end";
    case ArgumentKind::columns:
      return "a list of names, or of numbers from 0";
    case ArgumentKind::string_or_none:
      return "a string or none";
    case ArgumentKind::peer_name:
      return "a string of letters, digits, `_` and `-`";
  }
  return "";
}

bool fits(const Value& value, ArgumentKind kind) {
  const auto all = [&](ArgumentKind item_kind) {
    if (value.kind != Value::Kind::list || value.items.empty()) return false;
    for (const Value& item : value.items)
      if (!fits(item, item_kind)) return false;
    return true;
  };
  switch (kind) {
    case ArgumentKind::string:
      return value.kind == Value::Kind::string;
    case ArgumentKind::integer:
      return value.kind == Value::Kind::integer;
    case ArgumentKind::real:
      return is_number(value);
    case ArgumentKind::boolean:
      return value.kind == Value::Kind::boolean;
    case ArgumentKind::strings:
      return value.kind == Value::Kind::string || all(ArgumentKind::string);
    case ArgumentKind::sizes:
      if (value.kind == Value::Kind::integer) return value.integer > 0;
      if (!all(ArgumentKind::integer) || value.items.size() != 2) return false;
      return value.items[0].integer > 0 && value.items[1].integer > 0;
    case ArgumentKind::split:
      return value.kind == Value::Kind::string &&
             (value.text == "train" || value.text == "test" || value.text == "all");
    case ArgumentKind::data:
      return value.kind == Value::Kind::data;
    case ArgumentKind::character:
      return value.kind == Value::Kind::string && value.text.size() == 1 &&
             std::string("\"\r\n").find(value.text) == std::string::npos;
    case ArgumentKind::columns:
      if (value.kind == Value::Kind::list && !value.items.empty())
        return std::ranges::all_of(value.items, [](const Value& item) {
          return item.kind == Value::Kind::string || (item.kind == Value::Kind::integer && item.integer >= 0);
        });
      return value.kind == Value::Kind::string || (value.kind == Value::Kind::integer && value.integer >= 0);
    case ArgumentKind::string_or_none:
      return value.kind == Value::Kind::string || value.kind == Value::Kind::none;
    case ArgumentKind::peer_name:
      return value.kind == Value::Kind::string && !value.text.empty() &&
             std::ranges::all_of(value.text, [](char c) {
               return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
             });
  }
  return false;
}

struct DataEvaluator {
  Scope& scope;
  Analysis& analysis;

  /// Whether the expression is about data: it has a name that stands for data, or calls a data function that
  /// nothing in scope replaces.
  bool mentions_data(const Expr& expr) const {
    if (expr.kind == ExprKind::name) {
      const Value* value = scope.find(expr.text);
      return value && value->kind == Value::Kind::data;
    }
    if (expr.kind == ExprKind::call && is_data_function(*expr.operands[0])) return true;
    for (const ExprPtr& operand : expr.operands)
      if (mentions_data(*operand)) return true;
    for (const Argument& argument : expr.arguments)
      if (mentions_data(*argument.value)) return true;
    return false;
  }

  bool is_data_function(const Expr& function) const {
    return function.kind == ExprKind::name && !scope.find(function.text);
  }

  Value evaluate(const Expr& expr) {
    if (!mentions_data(expr)) return analysis.evaluator.evaluate(expr, scope, no_parameters());
    switch (expr.kind) {
      case ExprKind::name:
        return *scope.find(expr.text);
      case ExprKind::field:
        return field(expr);
      case ExprKind::index:
        return rows(expr);
      case ExprKind::unary:
      case ExprKind::binary:
        return operation(expr);
      case ExprKind::call:
        return call(expr);
      default:
        analysis.report.add(base::E0605, expr.span, expr.kind == ExprKind::list ? "`[...]`" : "`(...)`");
        return {};
    }
  }

  Value field(const Expr& expr) {
    const Value table = evaluate(*expr.operands[0]);
    if (table.kind != Value::Kind::data) return {};
    const auto columns = columns_of(table.data);
    if (columns && std::find(columns->begin(), columns->end(), expr.text) == columns->end()) {
      auto& error = analysis.report.add(base::E0604, expr.text_span, expr.text);
      if (columns->empty()) {
        error.label("this is a column already");
      } else if (const auto near = nearest_name(expr.text, *columns)) {
        error.help("did you mean `" + *near + "`?");
      } else {
        error.help("it has " + listed(*columns));
      }
      return {};
    }
    return made({{"op", "column"}, {"table", table.data}, {"name", expr.text}}, expr.span);
  }

  Value rows(const Expr& expr) {
    const Value table = evaluate(*expr.operands[0]);
    if (table.kind != Value::Kind::data || refuse_noise(table, "rows are chosen")) return {};
    if (expr.subscripts.size() != 1 || !expr.subscripts[0].slice) {
      analysis.report.add(base::E0606, expr.subscripts[0].span).help("write `t[a : b]`");
      return {};
    }
    json result = {{"op", "rows"}, {"table", table.data}, {"begin", nullptr}, {"end", nullptr}};
    const auto bound = [&](const ExprPtr& limit, const char* key) {
      if (!limit) return true;
      const auto value = analysis.integer(*limit, scope, "a row number", INT64_MIN);
      if (value) result[key] = *value;
      return value.has_value();
    };
    if (!bound(expr.subscripts[0].begin, "begin") || !bound(expr.subscripts[0].end, "end")) return {};
    return made(std::move(result), expr.span);
  }

  /// The data as a value. Reports an error if they have more operations than any sensible file.
  Value made(json data, base::Span span) {
    const DataSize size = size_of(data);
    if (size.depth <= deepest_data && size.operations <= most_data) return data_value(std::move(data), span);
    if (size.depth > deepest_data)
      analysis.report.add(base::E0618, span, deepest_data);
    else
      analysis.report.add(base::E0619, span, most_data);
    return {};
  }

  static bool takes(const DataOperation& operation, const std::vector<Argument>& arguments) {
    const auto needed = static_cast<size_t>(operation.operands);
    for (size_t i = 0; i < arguments.size(); ++i)
      if (arguments[i].name &&
          (operation.parameter.empty() || i != needed || arguments[i].name->text != operation.parameter))
        return false;
    return arguments.size() == needed || (!operation.parameter.empty() && arguments.size() == needed + 1) ||
           (operation.folds && arguments.size() > needed);
  }

  /// An operand of element-wise arithmetic: data or a number.
  std::optional<json> operand(const Expr& expr) {
    const Value value = evaluate(expr);
    switch (value.kind) {
      case Value::Kind::error:
        return {};
      case Value::Kind::data:
        return value.data;
      case Value::Kind::integer:
      case Value::Kind::real:
        return json{{"op", "number"}, {"value", number_of(value)}};
      case Value::Kind::boolean:
        return json{{"op", "number"}, {"value", value.boolean ? 1 : 0}};
      default:
        analysis.report.add(base::E0301, expr.span, "what stands beside data", "data or a number",
                            kind_name(value));
        return {};
    }
  }

  Value elementwise(const Expr& expr, const DataOperation& operation,
                    const std::vector<const Expr*>& operands) {
    if (operands.size() > deepest_data) {
      analysis.report.add(base::E0618, expr.span, deepest_data);
      return {};
    }
    json arguments = json::array();
    bool good = true;
    for (const Expr* part : operands) {
      auto value = operand(*part);
      good = good && value;
      // Noise does not change which values are missing, so `missing` ignores it.
      if (good && operation.name == "missing") *value = without_noise(*value);
      if (good) arguments.push_back(std::move(*value));
    }
    if (!good) return {};
    if (!operation.parameter.empty() && arguments.size() == static_cast<size_t>(operation.operands))
      arguments.push_back({{"op", "number"}, {"value", operation.otherwise}});
    json result = {{"op", operation.name}, {"args", arguments}};
    if (operation.folds) {
      result = arguments[0];
      for (size_t i = 1; i < arguments.size(); ++i)
        result = {{"op", operation.name}, {"args", json::array({result, arguments[i]})}};
    }
    return made(std::move(result), expr.span);
  }

  Value operation(const Expr& expr) {
    const auto operation = data_operator(expr.text, expr.kind == ExprKind::unary);
    if (!operation) {
      analysis.report.add(base::E0605, expr.text_span, "`" + expr.text + "`");
      return {};
    }
    std::vector<const Expr*> operands;
    for (const ExprPtr& part : expr.operands) operands.push_back(part.get());
    return elementwise(expr, *operation, operands);
  }

  Value call(const Expr& expr) {
    const Expr& function = *expr.operands[0];
    if (function.kind != ExprKind::name) {
      analysis.report.add(base::E0605, function.span, "a call");
      return {};
    }
    const Value* known = scope.find(function.text);
    if (known && known->kind == Value::Kind::error) return {};
    const bool language = !known || known->kind == Value::Kind::builtin;
    // `where(table, condition)` selects rows; `where(condition, a, b)` chooses element by element.
    const auto operation = language ? data_elementwise(function.text) : std::nullopt;
    if (operation && takes(*operation, expr.arguments)) {
      std::vector<const Expr*> operands;
      for (const Argument& argument : expr.arguments) operands.push_back(argument.value.get());
      return elementwise(expr, *operation, operands);
    }
    if (language)
      if (const DataFunction* data = find_data_function(function.text)) return apply(*data, expr);
    if (operation) {
      const auto named = std::find_if(expr.arguments.begin(), expr.arguments.end(),
                                      [](const Argument& argument) { return argument.name.has_value(); });
      const std::string needed = counted(operation->operands, "argument");
      if (named != expr.arguments.end() &&
          (operation->parameter.empty() || named->name->text != operation->parameter))
        analysis.report.add(base::E0221, named->name->span, function.text, named->name->text);
      else
        analysis.report.add(base::E0222, expr.span, function.text,
                            operation->folds ? "two arguments or more" : needed, expr.arguments.size());
      return {};
    }
    if (known) {
      analysis.report.add(base::E0605, function.span, "`" + function.text + "`")
          .help("sources know arithmetic, comparisons and the element-wise functions");
      return {};
    }
    auto& error = analysis.report.add(base::E0220, function.span, function.text);
    std::vector<std::string> names = scope.all_names();
    for (const std::string& name : data_function_names()) names.push_back(name);
    suggest(error, function.text, names);
    return {};
  }

  /// Calls a reader, an operation on a table, or noise, after checking the arguments.
  Value apply(const DataFunction& function, const Expr& expr) {
    std::vector<std::optional<Value>> values(function.arguments.size());
    std::vector<bool> named(function.arguments.size());
    bool good = true;
    size_t position = 0;
    for (const Argument& argument : expr.arguments) {
      size_t index = position;
      if (argument.name) {
        index = index_of(function, argument.name->text);
        if (index == function.arguments.size()) {
          std::vector<std::string> names;
          for (const DataArgument& known : function.arguments) names.push_back(known.name);
          suggest_among(
              analysis.report.add(base::E0221, argument.name->span, function.name, argument.name->text),
              argument.name->text, names, "it takes");
          good = false;
          continue;
        }
      } else if (position++ >= function.arguments.size()) {
        analysis.report.add(base::E0222, argument.span, function.name,
                            counted(function.arguments.size(), "argument"), expr.arguments.size());
        good = false;
        break;
      }
      if (values[index]) {
        analysis.report.add(base::E0224, argument.span, function.arguments[index].name);
        good = false;
        continue;
      }
      values[index] = argument_value(*argument.value, function, function.arguments[index]);
      named[index] = argument.name.has_value();
      good = good && values[index]->kind != Value::Kind::error;
    }
    if (!good) return {};
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i] || !function.arguments[i].required) continue;
      analysis.report.add(base::E0223, expr.span, function.name, function.arguments[i].name);
      return {};
    }
    return build(function, values, named, expr);
  }

  static size_t index_of(const DataFunction& function, const std::string& name) {
    size_t index = 0;
    while (index < function.arguments.size() && function.arguments[index].name != name) ++index;
    return index;
  }

  Value argument_value(const Expr& expr, const DataFunction& function, const DataArgument& argument) {
    if (argument.kind == ArgumentKind::string_or_none && expr.kind == ExprKind::name && expr.text == "none" &&
        !scope.find("none")) {
      Value none;
      none.kind = Value::Kind::none;
      none.span = expr.span;
      return none;
    }
    Value value = argument.kind == ArgumentKind::data
                      ? evaluate(expr)
                      : analysis.evaluator.constant(expr, scope, "`" + argument.name + "`");
    if (value.kind == Value::Kind::error || fits(value, argument.kind)) return value;
    const bool number = argument.name == "condition" && is_number(value);
    analysis.report.add(base::E0301, expr.span, fmt::format("`{}` of `{}`", argument.name, function.name),
                        expected(argument.kind), number ? "a number" : text_of(value));
    return {};
  }

  Value build(const DataFunction& function, const std::vector<std::optional<Value>>& values,
              const std::vector<bool>& named, const Expr& expr) {
    json result;
    if (function.kind == DataFunction::Kind::reader) {
      result = {{"op", "reader"}, {"name", function.name}};
    } else if (function.kind == DataFunction::Kind::table_operation) {
      for (const auto& value : values)
        if (value && value->kind == Value::Kind::data &&
            refuse_noise(*value, fmt::format("`{}` works", function.name)))
          return {};
      result = {{"op", function.name}, {"table", values[0]->data}};
      if (function.name == "where") {
        result["condition"] = values[1]->data;
        return made(std::move(result), expr.span);
      }
      if (function.name == "normalize") {
        if (values[1]) result["by"] = values[1]->data;
        return made(std::move(result), expr.span);
      }
    } else {
      return noise(function, *values[0], number_of(*values[1]), expr);
    }
    json positional = json::array(), by_name = json::object();
    for (size_t i = function.kind == DataFunction::Kind::reader ? 0 : 1; i < values.size(); ++i) {
      if (!values[i]) continue;
      json value = values[i]->kind == Value::Kind::data ? values[i]->data : to_json(*values[i]);
      if (named[i]) {
        by_name[function.arguments[i].name] = std::move(value);
      } else {
        positional.push_back(std::move(value));
      }
    }
    // The runtime expects `other` among the positional arguments.
    if (by_name.contains("other")) {
      positional.push_back(by_name["other"]);
      by_name.erase("other");
    }
    result["args"] = std::move(positional);
    result["named"] = std::move(by_name);
    return made(std::move(result), expr.span);
  }

  Value noise(const DataFunction& function, const Value& operand, double amount, const Expr& expr) {
    const bool probability = function.name == "flip";
    if (amount < 0 || (probability && amount > 1) || !fits_float(amount)) {
      analysis.report.add(base::E0301, expr.span,
                          fmt::format("`{}` of `{}`", function.arguments[1].name, function.name),
                          probability  ? "between 0 and 1"
                          : amount < 0 ? "0 or more"
                                       : "at most 3.4e38",
                          fmt::format("{}", amount));
      return {};
    }
    json result = {{"op", function.name}, {"args", {operand.data, {{"op", "number"}, {"value", amount}}}}};
    // Each call gets its own number: two calls are two draws. A call that a let names is one draw, wherever
    // the name is used.
    result["noise"] = static_cast<int64_t>(analysis.noise_count++);
    return made(std::move(result), expr.span);
  }

  /// A table is computed once, but noise is drawn at every step, so a table cannot depend on noise. The same
  /// holds for rows that are drawn anew at every step. Reports an error in both cases, and returns whether it
  /// did.
  bool refuse_noise(const Value& value, const std::string& where) {
    if (const std::string what = drawn_at_every_step(value.data); !what.empty()) {
      analysis.report.add(base::E0612, value.span, what, where);
      return true;
    }
    if (!has_noise(value.data)) return false;
    analysis.report.add(base::E0611, value.span, where).help("add the noise last");
    return true;
  }
};

}  // namespace

Value evaluate_data(const Expr& expr, Scope& scope, Analysis& analysis) {
  return DataEvaluator{scope, analysis}.evaluate(expr);
}

void bind_data(const Assign& assign, Scope& scope, Analysis& analysis) {
  DataEvaluator evaluator{scope, analysis};
  if (!evaluator.mentions_data(*assign.value)) {
    analysis.evaluator.bind(assign, scope, no_parameters());
    return;
  }
  if (!assign.tuple) {
    scope.names[assign.targets[0].name.text] = evaluator.evaluate(*assign.value);
    return;
  }
  // A tuple must be written out, as in `(mnist("train"), mnist("test"))`: no data value is a tuple.
  std::vector<Value> values;
  if (assign.value->kind == ExprKind::tuple)
    for (const ExprPtr& item : assign.value->operands) values.push_back(evaluator.evaluate(*item));
  else
    values.push_back(evaluator.evaluate(*assign.value));
  const bool fits = assign.value->kind == ExprKind::tuple && values.size() == assign.targets.size();
  if (!fits &&
      std::ranges::none_of(values, [](const Value& value) { return value.kind == Value::Kind::error; }))
    analysis.report
        .add(base::E0310, base::join(assign.targets.front().span, assign.targets.back().span),
             assign.targets.size(), values.size())
        .note(assign.value->span,
              values.size() == 1 ? "this is data" : fmt::format("this is a tuple of {}", values.size()));
  for (size_t i = 0; i < assign.targets.size(); ++i)
    scope.names[assign.targets[i].name.text] = fits ? values[i] : Value{};
}

}  // namespace semantics
