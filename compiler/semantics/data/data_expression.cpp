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
using schema::DataExpression;

/// What the data draw anew at every step, in words; empty for tables that are read once. The columns of such
/// rows are the variables of another program.
std::string drawn_at_every_step(const DataExpression& data) {
  if (schema::find_reader(data, "run")) return "rows of another trained model are drawn";
  return schema::find_reader(data, "peer") ? "rows of a peer are taken" : "";
}

/// The columns that a table has. Empty for a value; none if only the runtime can know them.
std::optional<std::vector<std::string>> columns_of(const DataExpression& data) {
  if (const auto* reader = data.as<schema::Reader>()) {
    const DataFunction* function = find_data_function(reader->name);
    if (function->columns.empty()) return std::nullopt;
    return function->columns;
  }
  const DataExpression* table = data.as<schema::TableColumn>() ? nullptr : schema::table_of(data);
  return table ? columns_of(*table) : std::vector<std::string>();
}

Value data_value(DataExpression data, base::Span span) {
  Value value;
  value.kind = Value::Kind::data;
  value.data = std::make_shared<const DataExpression>(std::move(data));
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
DataSize size_of(const DataExpression& data) {
  DataSize size;
  schema::for_each_part(data, [&](const DataExpression& part) {
    const DataSize inner = size_of(part);
    size.operations += inner.operations;
    size.depth = std::max(size.depth, inner.depth);
  });
  return {size.operations + 1, size.depth + 1};
}

schema::Constant constant_of(const Value& value) {
  switch (value.kind) {
    case Value::Kind::integer:
      return {value.integer};
    case Value::Kind::real:
      return {value.real};
    case Value::Kind::boolean:
      return {value.boolean};
    case Value::Kind::string:
      return {value.text};
    case Value::Kind::list: {
      schema::Constant::List list;
      for (const Value& item : value.items) list.push_back(constant_of(item));
      return {std::move(list)};
    }
    default:
      return {};
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
        return field(expr, evaluate(*expr.operands[0]));
      case ExprKind::index:
        return subscripted(expr);
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

  Value field(const Expr& expr, const Value& table) {
    if (table.kind != Value::Kind::data) return {};
    const auto columns = columns_of(*table.data);
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
    return made(schema::TableColumn{*table.data, expr.text}, expr.span);
  }

  /// `table.z[1]`: an element of an array of variables of another program, or else rows of a table.
  Value subscripted(const Expr& expr) {
    const Expr& array = *expr.operands[0];
    if (array.kind == ExprKind::field && expr.subscripts.size() == 1 && !expr.subscripts[0].slice) {
      const Value table = evaluate(*array.operands[0]);
      if (table.kind != Value::Kind::data) return {};
      if (!drawn_at_every_step(*table.data).empty()) {
        const auto index = analysis.integer(*expr.subscripts[0].begin, scope, "an index", 0);
        if (!index) return {};
        return made(schema::TableColumn{*table.data, fmt::format("{}[{}]", array.text, *index)}, expr.span);
      }
      return rows(field(array, table), expr);
    }
    return rows(evaluate(array), expr);
  }

  Value rows(const Value& table, const Expr& expr) {
    if (table.kind != Value::Kind::data || refuse_noise(table, "rows are chosen")) return {};
    if (expr.subscripts.size() != 1 || !expr.subscripts[0].slice) {
      analysis.report.add(base::E0606, expr.subscripts[0].span).help("write `t[a : b]`");
      return {};
    }
    schema::TableRows result{*table.data, {}, {}};
    const auto bound = [&](const ExprPtr& limit, std::optional<int64_t>& row) {
      if (limit) row = analysis.integer(*limit, scope, "a row number", INT64_MIN);
      return !limit || row;
    };
    if (!bound(expr.subscripts[0].begin, result.begin) || !bound(expr.subscripts[0].end, result.end))
      return {};
    return made(std::move(result), expr.span);
  }

  /// The data as a value. Reports an error if they have more operations than any sensible file.
  Value made(DataExpression data, base::Span span) {
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
  std::optional<DataExpression> operand(const Expr& expr) {
    const Value value = evaluate(expr);
    switch (value.kind) {
      case Value::Kind::error:
        return {};
      case Value::Kind::data:
        return *value.data;
      case Value::Kind::integer:
      case Value::Kind::real:
        return schema::Number{number_of(value)};
      case Value::Kind::boolean:
        return schema::Number{value.boolean ? 1.0 : 0.0};
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
    std::vector<DataExpression> arguments;
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
      arguments.emplace_back(schema::Number{operation.otherwise});
    if (!operation.folds) return made(schema::Elementwise{operation.name, std::move(arguments)}, expr.span);
    DataExpression result = std::move(arguments[0]);
    for (size_t i = 1; i < arguments.size(); ++i)
      result = schema::Elementwise{operation.name, {std::move(result), std::move(arguments[i])}};
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
    switch (function.kind) {
      case DataFunction::Kind::reader: {
        schema::Reader reader{arguments_of(function, values, named, 0), function.name};
        return made(std::move(reader), expr.span);
      }
      case DataFunction::Kind::table_operation:
        for (const auto& value : values)
          if (value && value->kind == Value::Kind::data &&
              refuse_noise(*value, fmt::format("`{}` works", function.name)))
            return {};
        return on_table(function, values, named, expr);
      case DataFunction::Kind::noise:
        return noise(function, *values[0], values.size() > 1 ? number_of(*values[1]) : 0, expr);
    }
    return {};
  }

  /// An operation on the table `values[0]`.
  Value on_table(const DataFunction& function, const std::vector<std::optional<Value>>& values,
                 const std::vector<bool>& named, const Expr& expr) {
    const DataExpression& table = *values[0]->data;
    if (const auto kind = schema::find_word<schema::Arranged::Kind>(function.name))
      return made(schema::Arranged{arguments_of(function, values, named, 1), *kind, table}, expr.span);
    const DataExpression* other = values[1] ? values[1]->data.get() : nullptr;
    if (function.name == schema::Where::op) return made(schema::Where{table, *other}, expr.span);
    if (function.name == schema::Without::op) return made(schema::Without{table, *other}, expr.span);
    schema::Normalize normalize{table, {}, {}};
    if (other) normalize.by = *other;
    return made(std::move(normalize), expr.span);
  }

  /// The constant arguments from `first` on, by place or by name as the file gives them.
  static schema::Arguments arguments_of(const DataFunction& function,
                                        const std::vector<std::optional<Value>>& values,
                                        const std::vector<bool>& named, size_t first) {
    schema::Arguments arguments;
    for (size_t i = first; i < values.size(); ++i) {
      if (!values[i]) continue;
      if (named[i])
        arguments.named[function.arguments[i].name] = constant_of(*values[i]);
      else
        arguments.args.push_back(constant_of(*values[i]));
    }
    return arguments;
  }

  Value noise(const DataFunction& function, const Value& operand, double amount, const Expr& expr) {
    const auto kind = *schema::find_word<schema::Noise::Kind>(function.name);
    const bool probability = kind == schema::Noise::Kind::flip;
    if (amount < 0 || (probability && amount > 1) || !fits_float(amount)) {
      analysis.report.add(base::E0301, expr.span,
                          fmt::format("`{}` of `{}`", function.arguments[1].name, function.name),
                          probability  ? "between 0 and 1"
                          : amount < 0 ? "0 or more"
                                       : "at most 3.4e38",
                          fmt::format("{}", amount));
      return {};
    }
    return made(schema::Noise{kind, *operand.data, amount, static_cast<int64_t>(analysis.noise_count++)},
                expr.span);
  }

  /// A table is computed once, but noise is drawn at every step, so a table cannot depend on noise. The same
  /// holds for rows that are drawn anew at every step. Reports an error in both cases, and returns whether it
  /// did.
  bool refuse_noise(const Value& value, const std::string& where) {
    if (const std::string what = drawn_at_every_step(*value.data); !what.empty()) {
      analysis.report.add(base::E0612, value.span, what, where);
      return true;
    }
    if (!has_noise(*value.data)) return false;
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
