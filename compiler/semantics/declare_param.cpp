// `param NAME = expr`, which -D NAME=TEXT replaces. The text is a value as the language writes it, with the
// same kind as the file's value. An integer may stand for a real, and a string needs no quotes.
#include <algorithm>
#include <charconv>
#include <climits>

#include "compiler/semantics/analysis.h"

namespace semantics {
namespace {

/// Reads one value of the language: a number, a boolean, a string or a list of these.
struct TextReader {
  std::string_view rest;
  size_t depth = 0;  // of nested lists; limited as in files, for the same reason
  static constexpr size_t deepest = 200;

  void skip_blanks() {
    while (!rest.empty() && (rest[0] == ' ' || rest[0] == '\t')) rest.remove_prefix(1);
  }
  bool take(char c) {
    skip_blanks();
    if (rest.empty() || rest[0] != c) return false;
    rest.remove_prefix(1);
    return true;
  }

  std::optional<Value> value() {
    skip_blanks();
    if (rest.empty()) return {};
    Value value;
    if (take('[')) {
      value.kind = Value::Kind::list;
      if (depth == deepest) return {};
      while (!take(']')) {
        ++depth;
        auto item = this->value();
        --depth;
        if (!item) return {};
        value.items.push_back(std::move(*item));
        if (take(',')) continue;
        if (!take(']')) return {};
        break;
      }
      return value;
    }
    if (rest[0] == '"') return quoted();
    const std::string_view word = rest.substr(0, rest.find_first_of(",] \t"));
    rest.remove_prefix(word.size());
    if (word == "true" || word == "false") {
      value.kind = Value::Kind::boolean;
      value.boolean = word == "true";
      return value;
    }
    return number(word);
  }

  /// A string with the escapes of the language: `\n`, `\t`, `\"` and `\\`.
  std::optional<Value> quoted() {
    Value value;
    value.kind = Value::Kind::string;
    for (size_t i = 1; i < rest.size(); ++i) {
      if (rest[i] == '"') {
        rest.remove_prefix(i + 1);
        return value;
      }
      if (rest[i] != '\\') {
        value.text += rest[i];
        continue;
      }
      ++i;
      if (i == rest.size() || std::string_view("nt\"\\").find(rest[i]) == std::string_view::npos) return {};
      value.text += rest[i] == 'n' ? '\n' : rest[i] == 't' ? '\t' : rest[i];
    }
    return {};
  }

  // `20_000`: an underscore may stand only between digits.
  std::optional<Value> number(std::string_view word) {
    std::string digits;
    for (size_t i = 0; i < word.size(); ++i) {
      const bool between = i > 0 && i + 1 < word.size() && isdigit(word[i - 1]) && isdigit(word[i + 1]);
      if (word[i] == '_' && between) continue;
      digits += word[i];
    }
    // from_chars would also read `inf` and `nan`, which are no numbers of the language.
    if (digits.empty() || digits.find_first_not_of("0123456789.eE+-") != std::string::npos) return {};
    Value value;
    const char* end = digits.data() + digits.size();
    const auto integer = std::from_chars(digits.data(), end, value.integer);
    if (integer.ec == std::errc() && integer.ptr == end) {
      value.kind = Value::Kind::integer;
      return value;
    }
    const auto real = std::from_chars(digits.data(), end, value.real);
    if (real.ec != std::errc() || real.ptr != end) return {};
    value.kind = Value::Kind::real;
    return value;
  }
};

/// Whether `given` has the kind of `declared`. Converts an integer to a real if needed.
bool agrees(const Value& declared, Value& given) {
  if (declared.kind == Value::Kind::real && given.kind == Value::Kind::integer) {
    given.kind = Value::Kind::real;
    given.real = static_cast<double>(given.integer);
  }
  if (declared.kind != given.kind) return false;
  if (declared.kind != Value::Kind::list || declared.items.empty()) return true;
  for (Value& item : given.items)
    if (!agrees(declared.items[0], item)) return false;
  return true;
}

std::optional<Value> read_as(const Value& declared, const std::string& text) {
  TextReader reader{text};
  auto value = reader.value();
  reader.skip_blanks();
  if (value && reader.rest.empty() && agrees(declared, *value)) return value;
  if (declared.kind != Value::Kind::string || text.starts_with('"')) return {};
  Value bare;
  bare.kind = Value::Kind::string;
  bare.text = text;
  return bare;
}

/// The beginning of a long text, for messages.
std::string shortened(const std::string& text) {
  constexpr size_t longest = 60;
  if (text.size() <= longest) return text;
  size_t end = longest - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "...";
}

/// The kind of a value; of a list also that of its elements, if they are all of one kind.
std::string kind_text(const Value& value) {
  if (value.kind != Value::Kind::list || value.items.empty()) return kind_name(value);
  const Value::Kind kind = value.items[0].kind;
  if (std::ranges::any_of(value.items, [&](const Value& item) { return item.kind != kind; }))
    return kind_name(value);
  switch (kind) {
    case Value::Kind::integer:
      return "a list of integers";
    case Value::Kind::real:
      return "a list of reals";
    case Value::Kind::boolean:
      return "a list of booleans";
    case Value::Kind::string:
      return "a list of strings";
    default:
      return kind_name(value);
  }
}

bool is_param_kind(const Value& value) {
  switch (value.kind) {
    case Value::Kind::integer:
    case Value::Kind::real:
    case Value::Kind::boolean:
    case Value::Kind::string:
      return true;
    case Value::Kind::list:
      for (const Value& item : value.items)
        if (!is_param_kind(item)) return false;
      return true;
    default:
      return false;
  }
}

}  // namespace

void declare_param(const syntax::ParamDecl& param, Analysis& analysis) {
  Scope& top = analysis.evaluator.top();
  Value value = analysis.evaluator.constant(*param.value, top, "a param");
  if (value.kind != Value::Kind::error && !is_param_kind(value)) {
    analysis.report.add(base::E0216, param.value->span, param.name.text).label("this is " + kind_name(value));
    value = {};
  }
  for (const auto& [name, text] : analysis.options.defines) {
    if (name != param.name.text || value.kind == Value::Kind::error) continue;
    const bool readable = !base::find_invalid_utf8(text);
    if (auto given = readable ? read_as(value, text) : std::nullopt) {
      value = std::move(*given);
      continue;
    }
    analysis.report
        .add(base::E0002, std::nullopt, shortened(name + "=" + text),
             readable ? fmt::format("`{}` is {}, such as {}; `{}` is not", name, kind_text(value),
                                    shortened(text_of(value)), shortened(text))
                      : "the value is not UTF-8")
        .note(param.name.span, "it is declared here");
    value = {};
  }
  value.span = param.name.span;
  if (value.kind != Value::Kind::error) analysis.model.params[param.name.text] = text_of(value);
  analysis.evaluator.observe(param.name.span, value);
  top.names[param.name.text] = std::move(value);
}

void check_defines(Analysis& analysis) {
  std::vector<std::string> params;
  for (const auto& [name, declared] : analysis.names)
    if (declared.what == "a param") params.push_back(name);
  for (const auto& [name, whole_text] : analysis.options.defines) {
    const auto found = analysis.names.find(name);
    if (found != analysis.names.end() && found->second.what == "a param") continue;
    const std::string text = shortened(whole_text);
    if (found != analysis.names.end()) {
      analysis.report
          .add(base::E0002, std::nullopt, name + "=" + text,
               fmt::format("`{}` is {}, not a param", name, found->second.what))
          .note(found->second.span, "it is declared here");
      continue;
    }
    auto& error = analysis.report.add(base::E0002, std::nullopt, name + "=" + text,
                                      fmt::format("the file has no param `{}`", name));
    suggest(error, name, params);
  }
}

}  // namespace semantics
