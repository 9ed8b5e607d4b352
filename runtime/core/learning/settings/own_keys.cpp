// The methods' own keys: which of them a program reads when it trains, and which were fixed when it was
// built.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "runtime/core/learning/settings/settings.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {
using nlohmann::json;
using Kind = LearnKey::Kind;

/// An estimator as the language writes it: `zgr`, `gumbel(0.5)`.
std::string text_of_estimator(const json& estimator) {
  std::string text = estimator.at("kind");
  if (estimator.contains("temperature"))
    text += fmt::format("({})", estimator.at("temperature").get<double>());
  return text;
}

/// Writes whole numbers without a fraction: config.json says 3, not 3.0.
json json_of_number(double number) {
  const auto whole = static_cast<int64_t>(std::clamp(number, -1e15, 1e15));
  return static_cast<double>(whole) == number ? json(whole) : json(number);
}

/// The value that holds if the key is not given; null if that is not a number.
json fallback_of(const LearnKey& key, const std::string& method) {
  if (key.name == "samples") return method == "elbo" ? 1 : 10;
  double number = 0;
  const auto [end, error] =
      std::from_chars(key.fallback.data(), key.fallback.data() + key.fallback.size(), number);
  return error == std::errc() ? json_of_number(number) : json();
}

/// Sorts the items of a list such as `c=enumerate,z=zgr`, so that equal lists have equal texts. Commas in
/// brackets do not separate items.
std::string in_order(const std::string& text) {
  std::vector<std::string> items(1);
  int depth = 0;
  for (const char c : text) {
    depth += (c == '(') - (c == ')');
    if (c == ',' && depth == 0)
      items.emplace_back();
    else
      items.back() += c;
  }
  std::ranges::sort(items);
  return fmt::to_string(fmt::join(items, ","));
}

/// The value of a flag, in the form of built_keys().
json value_of_text(const std::string& text) {
  std::string plain, digits;
  for (const char c : text)
    if (c != ' ') plain += c;
  for (const char c : plain)
    if (c != '_') digits += c;
  if (plain == "true" || plain == "false") return plain == "true";
  double number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc() && end == digits.data() + digits.size()) return json_of_number(number);
  return in_order(plain);
}

std::string text_of(const json& value) {
  if (value.is_string()) return value;
  return value.is_number() ? fmt::format("{}", value.get<double>()) : value.dump();
}

std::string text_of(const NumberSchedule& s) {
  if (s.kind == "constant") return fmt::format("{}", s.to);
  return fmt::format("{}({}, {}, {})", s.kind, s.from, s.to, s.steps);
}

[[noreturn]] void refuse(const Settings& settings, const Image& image, const std::string& key,
                         const std::string& asked, const std::string& built) {
  throw Failure(Exit::bad_configuration,
                fmt::format("--{} {}: learn {} is built {}; this builds it: vaec build {}.vae --learn {} "
                            "--{} '{}'",
                            key, asked, settings.learn, built.empty() ? "without it" : "with " + built,
                            image.file, settings.learn, key, asked));
}

}  // namespace

json built_keys(const Learn& learn) {
  json found = json::object();
  const json own = learn.keys.value("own", json::object());
  for (const LearnKey& key : own_keys_of(learn.method)) {
    const std::string name(key.name);
    found[name] = own.contains(name) ? own[name] : fallback_of(key, learn.method);
    if (name == "estimator" && own.contains("estimator")) found[name] = text_of_estimator(own[name]);
    if (name == "estimator" && own.contains("estimators")) {
      std::vector<std::string> items;
      for (const auto& [variable, estimator] : own["estimators"].items())
        items.push_back(variable + "=" + text_of_estimator(estimator));
      found[name] = fmt::to_string(fmt::join(items, ","));
    }
    if (name == "enumerate" && own.contains(name))
      found[name] = in_order(fmt::to_string(fmt::join(own[name].get<std::vector<std::string>>(), ",")));
  }
  return found;
}

void override_own_key(Settings& settings, const LearnKey& key, const std::string& text) {
  const std::string name(key.name);
  if ((key.methods & method_bit(settings.method)) == 0)
    throw Failure(Exit::usage, fmt::format("--{} {}: learn {} has no such key; it is a key of {}", name, text,
                                           settings.learn, fmt::join(methods_of(key), ", ")));
  if (key.kind == Kind::number) {
    settings.scheduled[name] = number_schedule(name, text);
  } else if (key.kind == Kind::built) {
    settings.own[name] = text == as_built ? json() : value_of_text(text);
    if (text == as_built) settings.own.erase(name);
  } else {
    settings.own[name] = number_of_flag(name, text, key.kind == Kind::whole);
  }
}

void fit_to_program(Settings& settings, const Image& image) {
  const Learn& learn = find_learn(image, settings.learn);
  const json built = built_keys(learn);
  for (const LearnKey& key : own_keys_of(learn.method)) {
    const std::string name(key.name);
    if (key.kind == Kind::built && settings.own.contains(name) && settings.own[name] != built[name])
      refuse(settings, image, name, text_of(settings.own[name]),
             built[name].is_null() ? "" : text_of(built[name]));
    if (key.kind == Kind::built && !built[name].is_null()) settings.own[name] = built[name];
    if (key.kind != Kind::number || learn.scheduled.contains(name)) continue;
    const auto asked = settings.scheduled.find(name);
    if (asked == settings.scheduled.end()) continue;
    if (asked->second.kind != "constant" || built[name] != asked->second.to)
      refuse(settings, image, name, text_of(asked->second), text_of(built[name]));
  }
}

}  // namespace core
