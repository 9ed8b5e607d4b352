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

/// `[a,b]` and `{z:zgr}`, which are forms of the language, in the form of flags: `a,b` and `z=zgr`.
std::string form_of_flags(const std::string& text) {
  const bool list = text.starts_with('[') && text.ends_with(']'),
             map = text.starts_with('{') && text.ends_with('}');
  if (text.size() < 3 || (!list && !map)) return text;
  std::string plain = text.substr(1, text.size() - 2);
  if (map) std::ranges::replace(plain, ':', '=');
  return plain;
}

/// The value of a flag, in the form of Settings::own.
json value_of_text(const std::string& text) {
  std::string plain, digits;
  for (const char c : text)
    if (c != ' ') plain += c;
  plain = form_of_flags(plain);
  for (const char c : plain)
    if (c != '_') digits += c;
  if (plain == "true" || plain == "false") return plain == "true";
  double number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc() && end == digits.data() + digits.size()) return schema::json_of_number(number);
  return schema::in_order(plain);
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
    settings.own[name] =
        key.kind == Kind::whole ? json(whole_of_flag(name, text)) : json(number_of_flag(name, text));
  }
}

int64_t steps_of_phases(const json& own) {
  int64_t steps = 0;
  for (const char* phase : {"fit_steps", "constrain_steps", "refit_steps"})
    steps += own.value(phase, int64_t{0});
  return steps;
}

void fit_to_program(Settings& settings, const Image& image) {
  const Learn& learn = find_learn(image, settings.learn);
  const Settings& built = learn.settings;
  for (const LearnKey& key : own_keys_of(learn.method)) {
    const std::string name(key.name);
    if (key.kind == Kind::built) {
      const json value = built.own.value(name, json());
      if (settings.own.contains(name) && settings.own[name] != value)
        refuse(settings, image, name, text_of(settings.own[name]), value.is_null() ? "" : text_of(value));
      if (!value.is_null()) settings.own[name] = value;
    } else if (key.kind == Kind::number && !learn.scheduled.contains(name)) {
      const auto asked = settings.scheduled.find(name);
      if (asked == settings.scheduled.end()) continue;
      const NumberSchedule& value = built.scheduled.at(name);
      if (asked->second.kind != "constant" || asked->second.to != value.to)
        refuse(settings, image, name, text_of(asked->second), text_of(value));
    }
  }
}

}  // namespace core
