// Writes the types of this folder as JSON and reads them back. A type names its members once, in the order of
// the text; adding a member touches only its type:
//   static void fields(auto& self, auto&& field) { field("player", self.player); }
// A type may instead have `static auto tied(auto& self)`, a std::tie of its members, which becomes an array;
// or `to_json()` and `static T from_json(json, place)`, for a text of its own.
// The reader is strict: each member must be there, with a value of its kind that fits its type. Malformed
// says where the text breaks this.
#pragma once
#include <fmt/format.h>

#include <array>
#include <concepts>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace schema {

/// Where a value stands in the text: "programs[3].buffers".
struct Place {
  const Place* outer = nullptr;
  std::string_view key = {};  // empty: `index` counts
  size_t index = 0;

  std::string text() const {
    const std::string before = outer ? outer->text() : "";
    if (!outer) return std::string(key);
    if (key.empty()) return fmt::format("{}[{}]", before, index);
    return before.empty() ? std::string(key) : fmt::format("{}.{}", before, key);
  }
};

struct Malformed : std::runtime_error {
  Malformed(const Place& place, const std::string& cause)
      : std::runtime_error(place.text().empty() ? cause : fmt::format("{}: {}", place.text(), cause)) {}
};

/// One value of an enum and its word in the text. A `words_of(Enum)` beside the enum returns all of them.
template <class Enum>
using Word = std::pair<Enum, const char*>;

template <class Enum>
  requires std::is_enum_v<Enum>
const char* word_of(Enum value) {
  for (const auto& [known, word] : words_of(Enum{}))
    if (known == value) return word;
  throw std::logic_error("an enum's value has no word");
}

template <class Enum>
  requires std::is_enum_v<Enum>
std::optional<Enum> find_word(std::string_view word) {
  for (const auto& [value, known] : words_of(Enum{}))
    if (known == word) return value;
  return {};
}

namespace detail {
struct AnyField {
  template <class Value>
  void operator()(const char*, Value&&) const {}
};
template <class T, template <class...> class Template>
inline constexpr bool is = false;
template <template <class...> class Template, class... Arguments>
inline constexpr bool is<Template<Arguments...>, Template> = true;
template <class T, class... Types>
concept among = (std::same_as<T, Types> || ...);
template <class T>
concept OwnText = requires(const T& value) {
  { value.to_json() } -> std::same_as<nlohmann::json>;
};
template <class T>
concept Tied = requires(T& value) { T::tied(value); };
template <class T>
concept WithFields = requires(T& value) { T::fields(value, AnyField()); };
}  // namespace detail

template <class T>
nlohmann::json write(const T& value) {
  using nlohmann::json;
  using namespace detail;
  if constexpr (OwnText<T>) {
    return value.to_json();
  } else if constexpr (std::is_enum_v<T>) {
    return word_of(value);
  } else if constexpr (is<T, std::optional>) {
    return value ? write(*value) : json();
  } else if constexpr (is<T, std::vector> || is<T, std::set>) {
    json list = json::array();
    for (const auto& item : value) list.push_back(write(item));
    return list;
  } else if constexpr (is<T, std::map>) {
    // The text of a map with other keys than names is a list of pairs.
    constexpr bool by_name = std::is_same_v<typename T::key_type, std::string>;
    json entries = by_name ? json::object() : json::array();
    for (const auto& [key, entry] : value)
      if constexpr (by_name)
        entries[key] = write(entry);
      else
        entries.push_back(json::array({write(key), write(entry)}));
    return entries;
  } else if constexpr (is<T, std::variant>) {
    return std::visit(
        []<class Kind>(const Kind& kind) {
          json text = write(kind);
          text["op"] = Kind::op;
          return text;
        },
        value);
  } else if constexpr (Tied<const T>) {
    return std::apply([](const auto&... members) { return json::array({write(members)...}); },
                      T::tied(value));
  } else if constexpr (WithFields<const T>) {
    json text = json::object();
    T::fields(value, [&](const char* name, const auto& member) { text[name] = write(member); });
    return text;
  } else {
    return json(value);
  }
}

template <class T>
void read(const nlohmann::json& text, T& value, const Place& place);

namespace detail {

inline const nlohmann::json& member(const nlohmann::json& text, std::string_view name, const Place& place) {
  if (!text.is_object()) throw Malformed(place, "it is no object");
  const auto found = text.find(name);
  if (found == text.end()) throw Malformed(place, fmt::format("\"{}\" is missing", name));
  return *found;
}

inline void require_list(const nlohmann::json& text, const Place& place) {
  if (!text.is_array()) throw Malformed(place, "it is no list");
}

template <class T>
void read_number(const nlohmann::json& text, T& value, const Place& place) {
  if constexpr (std::is_floating_point_v<T>) {
    if (!text.is_number()) throw Malformed(place, "it is no number");
    value = text.get<T>();
  } else {
    if (!text.is_number_integer()) throw Malformed(place, "it is no whole number");
    const bool fits = text.is_number_unsigned() ? std::in_range<T>(text.get<uint64_t>())
                                                : std::in_range<T>(text.get<int64_t>());
    if (!fits) throw Malformed(place, fmt::format("{} is out of range", text.dump()));
    value = text.get<T>();
  }
}

template <class T>
void read_map(const nlohmann::json& text, T& map, const Place& place) {
  map.clear();
  if constexpr (std::is_same_v<typename T::key_type, std::string>) {
    if (!text.is_object()) throw Malformed(place, "it is no object");
    for (const auto& [key, entry] : text.items()) read(entry, map[key], {&place, key});
  } else {
    require_list(text, place);
    for (size_t i = 0; i < text.size(); ++i) {
      const Place entry{&place, {}, i};
      if (!text[i].is_array() || text[i].size() != 2) throw Malformed(entry, "it is no pair");
      typename T::key_type key{};
      read(text[i][0], key, entry);
      read(text[i][1], map[key], entry);
    }
  }
}

template <class T>
void read_list(const nlohmann::json& text, T& list, const Place& place) {
  require_list(text, place);
  list.clear();
  for (size_t i = 0; i < text.size(); ++i) {
    if constexpr (is<T, std::vector>) {
      read(text[i], list.emplace_back(), {&place, {}, i});
    } else {
      typename T::value_type item{};
      read(text[i], item, {&place, {}, i});
      list.insert(std::move(item));
    }
  }
}

template <class... Kinds>
void read_kind(const nlohmann::json& text, std::variant<Kinds...>& value, const Place& place) {
  std::string op;
  read(member(text, "op", place), op, {&place, "op"});
  const auto take = [&]<class Kind>(const Kind&) {
    if (op != Kind::op) return false;
    read(text, value.template emplace<Kind>(), place);
    return true;
  };
  if (!(take(Kinds{}) || ...)) throw Malformed(place, fmt::format("there is no operation \"{}\"", op));
}

template <class T>
void read_tied(const nlohmann::json& text, T& value, const Place& place) {
  auto members = T::tied(value);
  constexpr size_t count = std::tuple_size_v<decltype(members)>;
  require_list(text, place);
  if (text.size() != count) throw Malformed(place, fmt::format("it has not {} entries", count));
  size_t i = 0;
  const auto next = [&](auto& member) {
    read(text[i], member, {&place, {}, i});
    ++i;
  };
  std::apply([&](auto&... each) { (next(each), ...); }, members);
}

}  // namespace detail

/// Reads `text` into `value`; Malformed if it does not fit.
template <class T>
void read(const nlohmann::json& text, T& value, const Place& place) {
  using namespace detail;
  if constexpr (OwnText<T>) {
    value = T::from_json(text, place);
  } else if constexpr (std::is_enum_v<T>) {
    const auto found = text.is_string() ? find_word<T>(text.get_ref<const std::string&>()) : std::nullopt;
    if (!found) throw Malformed(place, fmt::format("{} is not known", text.dump()));
    value = *found;
  } else if constexpr (is<T, std::optional>) {
    value.reset();
    if (!text.is_null()) read(text, value.emplace(), place);
  } else if constexpr (is<T, std::vector> || is<T, std::set>) {
    read_list(text, value, place);
  } else if constexpr (is<T, std::map>) {
    read_map(text, value, place);
  } else if constexpr (is<T, std::variant>) {
    read_kind(text, value, place);
  } else if constexpr (Tied<T>) {
    read_tied(text, value, place);
  } else if constexpr (WithFields<T>) {
    T::fields(value, [&](const char* name, auto& member) {
      read(detail::member(text, name, place), member, {&place, name});
    });
  } else if constexpr (std::is_same_v<T, nlohmann::json>) {
    value = text;
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!text.is_boolean()) throw Malformed(place, "it is not true or false");
    value = text.get<bool>();
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!text.is_string()) throw Malformed(place, "it is no text");
    value = text.get<std::string>();
  } else {
    read_number(text, value, place);
  }
}

template <class T>
T read(const nlohmann::json& text) {
  T value{};
  read(text, value, Place{});
  return value;
}

}  // namespace schema
