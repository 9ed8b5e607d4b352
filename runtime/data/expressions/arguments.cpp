#include "runtime/data/expressions/arguments.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "runtime/shared/failure.h"

namespace data {
namespace {
using schema::Constant;

std::string written(const Constant& value) { return value.to_json().dump(); }

std::optional<double> number_of(const Constant& value) {
  if (const auto* whole = std::get_if<int64_t>(&value.value)) return static_cast<double>(*whole);
  if (const auto* real = std::get_if<double>(&value.value)) return *real;
  return {};
}

/// The items of a list. Any other value is a list of length one.
Constant::List items_of(const Constant& value) {
  const auto* list = std::get_if<Constant::List>(&value.value);
  return list ? *list : Constant::List{value};
}

}  // namespace

const Constant* Arguments::find(size_t place, const std::string& name) const {
  if (place < given_.args.size()) return &given_.args[place];
  const auto found = given_.named.find(name);
  return found == given_.named.end() ? nullptr : &found->second;
}

const Constant& Arguments::need(size_t place, const std::string& name) const {
  if (const Constant* value = find(place, name)) return *value;
  throw Failure(Exit::bad_configuration, fmt::format("{} needs its argument `{}`", call_, name));
}

void Arguments::wrong(const std::string& name, const std::string& expected, const Constant& got) const {
  throw Failure(Exit::bad_configuration,
                fmt::format("{}: `{}` must be {}, not {}", call_, name, expected, data::written(got)));
}

std::string Arguments::text(size_t place, const std::string& name,
                            std::optional<std::string> otherwise) const {
  const Constant* given = find(place, name);
  if (otherwise && (!given || std::holds_alternative<std::monostate>(given->value))) return *otherwise;
  const Constant& value = need(place, name);
  if (!value.text()) wrong(name, "a string", value);
  return *value.text();
}

double Arguments::number(size_t place, const std::string& name, std::optional<double> otherwise) const {
  if (otherwise && !find(place, name)) return *otherwise;
  const Constant& value = need(place, name);
  const auto real = number_of(value);
  if (!real) wrong(name, "a number", value);
  return *real;
}

int64_t Arguments::integer(size_t place, const std::string& name, std::optional<int64_t> otherwise) const {
  if (otherwise && !find(place, name)) return *otherwise;
  const Constant& value = need(place, name);
  const double real = number_of(value).value_or(0.5);
  if (real != std::floor(real) || std::fabs(real) > 0x1p53) wrong(name, "an integer", value);
  return static_cast<int64_t>(real);
}

bool Arguments::truth(size_t place, const std::string& name, bool otherwise) const {
  const Constant* value = find(place, name);
  if (!value) return otherwise;
  const bool* truth = std::get_if<bool>(&value->value);
  if (!truth) wrong(name, "true or false", *value);
  return *truth;
}

std::optional<Shape> Arguments::sizes(size_t place, const std::string& name) const {
  const Constant* value = find(place, name);
  if (!value) return {};
  Shape sizes;
  for (const Constant& item : items_of(*value)) {
    const auto* size = std::get_if<int64_t>(&item.value);
    if (!size || *size < 1) wrong(name, "a list of sizes", *value);
    sizes.push_back(*size);
  }
  return sizes;
}

std::optional<std::vector<std::string>> Arguments::texts(size_t place, const std::string& name) const {
  const Constant* value = find(place, name);
  if (!value) return {};
  std::vector<std::string> texts;
  for (const Constant& item : items_of(*value)) {
    const bool whole = std::holds_alternative<int64_t>(item.value);
    if (!item.text() && !whole) wrong(name, "a list of strings", *value);
    texts.push_back(whole ? data::written(item) : *item.text());
  }
  return texts;
}

std::string Arguments::written(const std::string& table) const {
  std::vector<std::string> parts;
  if (!table.empty()) parts.push_back(table);
  for (const Constant& value : given_.args) parts.push_back(data::written(value));
  for (const auto& [name, value] : given_.named)
    if (name != hidden_indices && name != hidden_labels && name != hidden_labelled)
      parts.push_back(name + " = " +
                      (std::holds_alternative<std::monostate>(value.value) ? "none" : data::written(value)));
  return fmt::format("{}({})", call_, fmt::join(parts, ", "));
}

}  // namespace data
