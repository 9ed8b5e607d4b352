#include "runtime/schema/data_expression.h"

#include <fmt/format.h>

#include "runtime/shared/failure.h"

namespace schema {
namespace {
using nlohmann::json;

/// The word of an alternative's operation.
template <class Alternative>
std::string word_of_kind(const Alternative& alternative) {
  if constexpr (std::is_enum_v<std::remove_cvref_t<decltype(alternative.op)>>)
    return word_of(alternative.op);
  else
    return alternative.op;
}

template <class Alternative>
Alternative read_as(const json& text, const Place& place) {
  Alternative alternative;
  read(text, alternative, place);
  return alternative;
}

/// Reads an alternative whose word `op` is one of an enum.
template <class Alternative>
std::optional<DataExpression> read_by_kind(const json& text, const std::string& op, const Place& place) {
  const auto kind = find_word<typename Alternative::Kind>(op);
  if (!kind) return {};
  auto alternative = read_as<Alternative>(text, place);
  alternative.op = *kind;
  return DataExpression(std::move(alternative));
}

/// Reads the alternative among these whose word is `op`.
template <class... Alternatives>
std::optional<DataExpression> read_among(const json& text, const std::string& op, const Place& place) {
  std::optional<DataExpression> found;
  const auto take = [&]<class Alternative>(std::type_identity<Alternative>) {
    if (op == Alternative::op) found = DataExpression(read_as<Alternative>(text, place));
  };
  (take(std::type_identity<Alternatives>()), ...);
  return found;
}

}  // namespace

json Constant::to_json() const {
  return std::visit(
      []<class Kind>(const Kind& kind) {
        if constexpr (std::is_same_v<Kind, std::monostate>)
          return json();
        else
          return write(kind);
      },
      value);
}

Constant Constant::from_json(const json& text, const Place& place) {
  if (text.is_null()) return {};
  if (text.is_boolean()) return {text.get<bool>()};
  if (text.is_number_integer()) {
    int64_t number = 0;
    read(text, number, place);
    return {number};
  }
  if (text.is_number()) return {text.get<double>()};
  if (text.is_string()) return {text.get<std::string>()};
  List list;
  read(text, list, place);
  return {std::move(list)};
}

json DataExpression::to_json() const {
  return std::visit(
      [](const auto& alternative) {
        json text = write(alternative);
        text["op"] = word_of_kind(alternative);
        return text;
      },
      kind);
}

DataExpression DataExpression::from_json(const json& text, const Place& place) {
  std::string op;
  read(detail::member(text, "op", place), op, {&place, "op"});
  // `where(table, condition)` chooses rows; `where(condition, a, b)` chooses element by element.
  if (op == Where::op && text.contains("table")) return read_as<Where>(text, place);
  if (auto found = read_among<Number, Reader, TableColumn, TableRows, Without, Normalize>(text, op, place))
    return *std::move(found);
  if (auto found = read_by_kind<Arranged>(text, op, place)) return *std::move(found);
  if (auto found = read_by_kind<Noise>(text, op, place)) return *std::move(found);
  auto elementwise = read_as<Elementwise>(text, place);
  elementwise.op = std::move(op);
  return elementwise;
}

std::string text_of(const DataExpression& expression) {
  return expression.to_json().dump(-1, ' ', false, json::error_handler_t::replace);
}

const Reader* find_reader(const DataExpression& expression, std::string_view name) {
  const Reader* found = nullptr;
  for_each_reader(expression, [&](const Reader& reader) {
    if (!found && reader.name == name) found = &reader;
  });
  return found;
}

bool is_drawn_at_every_step(const DataExpression& expression) {
  return find_reader(expression, "run") || find_reader(expression, "peer");
}

std::string text_argument(const Reader& reader, size_t place, const std::string& name) {
  const auto by_name = reader.named.find(name);
  const Constant* found = place < reader.args.size()      ? &reader.args[place]
                          : by_name != reader.named.end() ? &by_name->second
                                                          : nullptr;
  if (!found || !found->text())
    throw Failure(Exit::internal, fmt::format("{} has no argument `{}`", reader.name, name));
  return *found->text();
}

std::optional<std::string> peer_of(const Reader& reader) {
  if (reader.name != "peer") return {};
  return text_argument(reader, 0, "name");
}

}  // namespace schema
