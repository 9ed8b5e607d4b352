// Data expressions: what a source says about the rows of its data, as in `normalize(csv("t.csv").a) > 0.5`.
// The compiler builds them, and noise becomes part of its programs; the runtime evaluates the rest
// (runtime/data). The text of each has its operation as "op", and names of element-wise operations are those
// of compiler/semantics/graph/operations.def.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/schema/box.h"
#include "runtime/schema/fields.h"

namespace schema {

/// An argument that is known when the file is compiled; std::monostate is `none`.
struct Constant {
  using List = std::vector<Constant>;
  std::variant<std::monostate, bool, int64_t, double, std::string, List> value;

  nlohmann::json to_json() const;
  static Constant from_json(const nlohmann::json& text, const Place& place);
  const std::string* text() const { return std::get_if<std::string>(&value); }
};

/// The arguments of a call, as the file gives them.
struct Arguments {
  std::vector<Constant> args;
  std::map<std::string, Constant> named;

  static void fields(auto& self, auto&& field) {
    field("args", self.args);
    field("named", self.named);
  }
};

/// The statistics of a column, for `normalize`. They have no numbers if the column is not numeric or contains
/// an infinity.
struct ColumnStatistics {
  std::string name;
  std::vector<int64_t> shape;             // of a row
  std::vector<double> means, deviations;  // one per element; the deviation of a constant is 1

  static void fields(auto& self, auto&& field) {
    field("name", self.name);
    field("shape", self.shape);
    field("means", self.means);
    field("deviations", self.deviations);
  }
};
using TableStatistics = std::vector<ColumnStatistics>;

struct DataExpression;
using DataBox = Box<DataExpression>;

struct Number {
  static constexpr const char* op = "number";
  double value = 0;
  static void fields(auto& self, auto&& field) { field("value", self.value); }
};

/// A call of a reader: a table with named columns.
struct Reader : Arguments {
  static constexpr const char* op = "reader";
  std::string name;
  static void fields(auto& self, auto&& field) {
    field("name", self.name);
    Arguments::fields(self, field);
  }
};

/// table.name
struct TableColumn {
  static constexpr const char* op = "column";
  DataBox table;
  std::string name;
  static void fields(auto& self, auto&& field) {
    field("table", self.table);
    field("name", self.name);
  }
};

/// table[begin : end]
struct TableRows {
  static constexpr const char* op = "rows";
  DataBox table;
  std::optional<int64_t> begin, end;
  static void fields(auto& self, auto&& field) {
    field("table", self.table);
    field("begin", self.begin);
    field("end", self.end);
  }
};

/// The rows of the table where the condition holds.
struct Where {
  static constexpr const char* op = "where";
  DataBox table, condition;
  static void fields(auto& self, auto&& field) {
    field("table", self.table);
    field("condition", self.condition);
  }
};

/// The rows of the table that do not stand in the other one.
struct Without {
  static constexpr const char* op = "without";
  DataBox table, other;
  static void fields(auto& self, auto&& field) {
    field("table", self.table);
    field("other", self.other);
  }
};

/// The table, shifted and scaled by the statistics, or else by those of `by`, or else by its own.
struct Normalize {
  static constexpr const char* op = "normalize";
  DataBox table;
  std::optional<DataBox> by;
  std::optional<TableStatistics> statistics;  // put in by the runtime (data/expressions/kept_statistics.h)
  static void fields(auto& self, auto&& field) {
    field("table", self.table);
    field("by", self.by);
    field("statistics", self.statistics);
  }
};

/// Operations that choose, order or join rows by numbers alone.
struct Arranged : Arguments {
  enum class Kind { shuffle, per_class, windows } op = Kind::shuffle;
  DataBox table;
  static void fields(auto& self, auto&& field) {
    field("table", self.table);
    Arguments::fields(self, field);
  }
};

constexpr auto words_of(Arranged::Kind) {
  using Kind = Arranged::Kind;
  return std::array{Word<Kind>{Kind::shuffle, "shuffle"}, Word<Kind>{Kind::per_class, "per_class"},
                    Word<Kind>{Kind::windows, "windows"}};
}

struct Elementwise {
  std::string op;
  std::vector<DataExpression> args;
  static void fields(auto& self, auto&& field) { field("args", self.args); }
};

/// New noise at every draw. Each call has a number of its own: two calls are two draws. A call that a let
/// names is one draw, wherever the name is used. It never reaches the runtime.
struct Noise {
  enum class Kind { flip, binarize, jitter } op = Kind::flip;
  DataBox data;
  double amount = 0;  // the probability of flip, the deviation of jitter
  int64_t number = 0;
  static void fields(auto& self, auto&& field) {
    field("data", self.data);
    field("amount", self.amount);
    field("number", self.number);
  }
};

constexpr auto words_of(Noise::Kind) {
  using Kind = Noise::Kind;
  return std::array{Word<Kind>{Kind::flip, "flip"}, Word<Kind>{Kind::binarize, "binarize"},
                    Word<Kind>{Kind::jitter, "jitter"}};
}

template <class Alternative>
concept DataKind = detail::among<Alternative, Number, Reader, TableColumn, TableRows, Where, Without,
                                 Normalize, Arranged, Elementwise, Noise>;

struct DataExpression {
  std::variant<Number, Reader, TableColumn, TableRows, Where, Without, Normalize, Arranged, Elementwise,
               Noise>
      kind;

  DataExpression() = default;
  template <DataKind Alternative>
  DataExpression(Alternative alternative) : kind(std::move(alternative)) {}

  nlohmann::json to_json() const;
  static DataExpression from_json(const nlohmann::json& text, const Place& place);

  template <class Alternative>
  const Alternative* as() const {
    return std::get_if<Alternative>(&kind);
  }
  template <class Alternative>
  Alternative* as() {
    return std::get_if<Alternative>(&kind);
  }
};

/// The expression in one line. Equal expressions have equal texts.
std::string text_of(const DataExpression& expression);
inline bool operator==(const DataExpression& a, const DataExpression& b) { return text_of(a) == text_of(b); }

/// The expression's number, if it is one.
inline std::optional<double> number_of(const DataExpression& expression) {
  const Number* number = expression.as<Number>();
  return number ? std::optional(number->value) : std::nullopt;
}

/// Calls `visit` with the table of the operation, if it is one on tables.
void visit_table(auto& expression, auto&& visit) {
  std::visit(
      [&](auto& kind) {
        if constexpr (requires { kind.table; }) visit(*kind.table);
      },
      expression.kind);
}

/// The table that the operation works on; null for readers, numbers, and operations on elements.
inline const DataExpression* table_of(const DataExpression& expression) {
  const DataExpression* table = nullptr;
  visit_table(expression, [&](const DataExpression& found) { table = &found; });
  return table;
}

/// Calls `visit` with each expression directly inside, a table first.
void for_each_part(auto& expression, auto&& visit) {
  visit_table(expression, visit);
  std::visit(
      [&](auto& kind) {
        if constexpr (requires { kind.condition; }) visit(*kind.condition);
        if constexpr (requires { kind.other; }) visit(*kind.other);
        if constexpr (requires { kind.data; }) visit(*kind.data);
        if constexpr (requires { kind.by; })
          if (kind.by) visit(**kind.by);
        if constexpr (requires { kind.op.size(); })
          for (auto& part : kind.args) visit(part);
      },
      expression.kind);
}

/// Calls `visit` with every reader in the expression.
void for_each_reader(auto& expression, auto&& visit) {
  if (auto* reader = expression.template as<Reader>()) visit(*reader);
  for_each_part(expression, [&](auto& part) { for_each_reader(part, visit); });
}

/// The first call of the reader `name` in the expression, or null if there is none.
const Reader* find_reader(const DataExpression& expression, std::string_view name);

/// Whether the rows are drawn anew at every step: by another trained model (`run`) or by a peer (`peer`).
bool is_drawn_at_every_step(const DataExpression& expression);

/// The text that a reader is given at this place or by this name. Failure(internal) if it is given none.
std::string text_argument(const Reader& reader, size_t place, const std::string& name);

/// The NAME of `peer("NAME")`; none for any other reader.
std::optional<std::string> peer_of(const Reader& reader);

}  // namespace schema
