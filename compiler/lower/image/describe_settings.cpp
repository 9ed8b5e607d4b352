#include "compiler/lower/image/describe_settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

#include "runtime/schema/learn_keys.h"

namespace lower {
namespace {
using nlohmann::json;
using schema::NumberSchedule;

/// An estimator as the language writes it: `zgr`, `gumbel(0.5)`.
std::string text_of_estimator(const json& estimator) {
  std::string text = estimator.at("kind");
  if (estimator.contains("temperature"))
    text += fmt::format("({})", estimator.at("temperature").get<double>());
  return text;
}

/// The value that holds if the key is not given; null if that is not a number.
json fallback_of(const LearnKey& key, const std::string& method) {
  if (key.name == "samples") return method == "elbo" ? 1 : 10;
  double number = 0;
  const auto [end, error] =
      std::from_chars(key.fallback.data(), key.fallback.data() + key.fallback.size(), number);
  return error == std::errc() ? schema::json_of_number(number) : json();
}

/// A key that is compiled into programs, as a flag writes it; null if it has no value. `own`: the method's
/// keys in the file.
json built_value(const LearnKey& key, const json& own, const std::string& method) {
  const std::string name(key.name);
  if (name == "estimator" && own.contains("estimators")) {
    std::vector<std::string> items;
    for (const auto& [variable, estimator] : own["estimators"].items())
      items.push_back(variable + "=" + text_of_estimator(estimator));
    return fmt::to_string(fmt::join(items, ","));
  }
  if (!own.contains(name)) return fallback_of(key, method);
  if (name == "estimator") return text_of_estimator(own[name]);
  if (name == "enumerate")
    return schema::in_order(fmt::to_string(fmt::join(own[name].get<std::vector<std::string>>(), ",")));
  return own[name];
}

/// A number as the analysis keeps it: plain, or an object for a schedule.
NumberSchedule number_schedule(const json& value) {
  if (value.is_number()) return {"constant", 0, value.get<double>(), 1};
  return {value.at("kind"), value.at("from"), value.at("to"), value.at("steps")};
}

void add_own_keys(const semantics::Learn& learn, schema::Settings& settings) {
  for (const LearnKey& key : own_keys_of(learn.method)) {
    const std::string name(key.name);
    const json value = built_value(key, learn.own, learn.method);
    if (value.is_null()) continue;
    if (key.kind == LearnKey::Kind::number)
      settings.scheduled[name] = number_schedule(value);
    else
      settings.own[name] = value;
  }
}

}  // namespace

schema::Settings describe_settings(const semantics::Model& model, const semantics::Learn& learn) {
  schema::Settings settings;
  settings.method = learn.method;
  settings.learn = learn.name;
  settings.steps = learn.steps;
  settings.batch = learn.batch;
  settings.optimizers = learn.optimizers;
  settings.schedule = learn.schedule;
  settings.seed = learn.seed;
  settings.order = learn.order;
  settings.precision = learn.precision;
  settings.start = learn.start;
  settings.every = learn.every;
  for (const semantics::SourceId source : learn.sources) settings.sources.push_back(model[source].name);
  const json &own = learn.own, clips = own.value("clip", json::object());
  for (const semantics::Player& player : model.players)
    settings.clip[player.name] = clips.value(player.name, learn.clip);
  settings.average = own.value("average", 0.0);
  const json weights = own.value("weight", json::object());
  for (const auto& [source, weight] : weights.items()) settings.weights[source] = number_schedule(weight);
  settings.evaluate = own.value("evaluate", settings.evaluate);
  if (own.contains("stop")) settings.stop = {own["stop"].at("metric"), own["stop"].at("patience")};
  settings.keep = own.value("keep", int64_t{0});
  add_own_keys(learn, settings);
  return settings;
}

}  // namespace lower
