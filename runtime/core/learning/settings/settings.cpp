#include "runtime/core/learning/settings/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "runtime/core/execution/averages.h"
#include "runtime/schema/setting_bounds.h"
#include "runtime/schema/training_metrics.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {
using nlohmann::json;

/// A flag as the user wrote it, for messages about any part of it.
struct Flag {
  std::string key, text;
};

[[noreturn]] void refuse(const Flag& flag, const std::string& cause) {
  throw Failure(Exit::usage, fmt::format("--{} {}: {}", flag.key, flag.text, cause));
}

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t"), end = text.find_last_not_of(" \t");
  return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
}

/// Splits the text at commas that are not in brackets.
std::vector<std::string> items_of(const std::string& text) {
  std::vector<std::string> items(1);
  int depth = 0;
  for (char c : text) {
    depth += (c == '(') - (c == ')');
    if (c == ',' && depth == 0)
      items.emplace_back();
    else
      items.back() += c;
  }
  for (std::string& item : items) item = trimmed(item);
  return items;
}

/// The names of a list, each of which may stand there once.
std::vector<std::string> names_of(const Flag& flag) {
  const std::vector<std::string> names = items_of(flag.text);
  std::set<std::string> seen;
  for (const std::string& name : names)
    if (!seen.insert(name).second) refuse(flag, name + " is given twice");
  return names;
}

/// `what` completes the sentence "this must be ..." or "x must be ...".
[[noreturn]] void refuse_part(const Flag& flag, const std::string& part, const std::string& what) {
  refuse(flag, fmt::format("{} must be {}", part == flag.text ? "this" : part, what));
}

double real(const Flag& flag, const std::string& text, double least, const std::string& what = "a number") {
  std::string digits;
  for (char c : text)
    if (c != '_') digits += c;
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || !std::isfinite(value) || value < least)
    refuse_part(flag, text, fmt::format("{} of at least {}", what, least));
  if (value > bounds::most_real)
    refuse_part(flag, text, fmt::format("{} of at most {:.6g}", what, bounds::most_real));
  return value;
}

int64_t whole(const Flag& flag, const std::string& text, WholeRange range) {
  const double value = real(flag, text, static_cast<double>(range.least), "a whole number");
  if (value != std::floor(value))
    refuse_part(flag, text, fmt::format("a whole number of at least {}", range.least));
  if (value > static_cast<double>(range.most))
    refuse_part(flag, text, fmt::format("a whole number of at most {}", range.most));
  return static_cast<int64_t>(value);
}

/// Sets named entries (`a=1,b=2`), or gives all entries one value.
template <class Value, class Set>
void set_entries(std::map<std::string, Value>& entries, const Flag& flag, const std::string& what, Set set) {
  std::set<std::string> named;
  for (const std::string& item : items_of(flag.text)) {
    const size_t equals = item.find('='), bracket = item.find('(');
    const bool for_all = equals == std::string::npos || equals > bracket;
    const std::string name = for_all ? "" : trimmed(item.substr(0, equals));
    if (!named.insert(name).second) refuse(flag, for_all ? "two values are given" : name + " is given twice");
    if (for_all) {
      for (auto& [known, entry] : entries) set(entry, item);
      continue;
    }
    const auto found = entries.find(name);
    if (found == entries.end()) {
      std::vector<std::string> names;
      for (const auto& [known, entry] : entries) names.push_back(known);
      refuse(flag, fmt::format("there is no {} {}; known: {}", what, name, fmt::join(names, ", ")));
    }
    set(found->second, trimmed(item.substr(equals + 1)));
  }
}

/// A call such as `name(1, b = 2)`: its name, and its arguments by position or by key.
struct Call {
  std::string name;
  std::vector<std::pair<std::string, double>> arguments;  // key "" if given by position
};

Call parse_call(const Flag& flag, const std::string& text) {
  const size_t open = text.find('(');
  if (open == std::string::npos) return {text, {}};
  if (text.back() != ')') refuse(flag, "a `)` is missing");
  Call call{trimmed(text.substr(0, open)), {}};
  const std::string inside = trimmed(text.substr(open + 1, text.size() - open - 2));
  if (inside.empty()) return call;
  for (const std::string& item : items_of(inside)) {
    const size_t equals = item.find('=');
    if (equals == std::string::npos)
      call.arguments.emplace_back("", real(flag, item, 0));
    else
      call.arguments.emplace_back(trimmed(item.substr(0, equals)),
                                  real(flag, trimmed(item.substr(equals + 1)), 0));
  }
  return call;
}

/// Assigns a call's arguments to fields, which are in declared order.
void assign(const Flag& flag, const Call& call, const std::vector<std::pair<std::string, double*>>& fields) {
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    const auto& [name, value] = call.arguments[i];
    double* target = nullptr;
    if (name.empty() && i < fields.size()) target = fields[i].second;
    for (const auto& [field, place] : fields)
      if (field == name) target = place;
    if (!target) {
      std::vector<std::string> names;
      for (const auto& [field, place] : fields) names.push_back(field);
      const std::string takes = fields.empty() ? "no argument" : fmt::to_string(fmt::join(names, ", "));
      refuse(flag, fmt::format("{} takes {}", call.name, takes));
    }
    *target = value;
  }
}

OptimizerSettings parse_optimizer(const Flag& flag, const std::string& text) {
  const Call call = parse_call(flag, text);
  if (!find_optimizer(call.name)) refuse(flag, "an optimizer is " + optimizer_calls());
  OptimizerSettings optimizer(call.name);
  std::vector<std::pair<std::string, double*>> fields;
  for (const OptimizerNumber& number : optimizer.word().numbers) {
    const std::string name(number.name);
    fields.emplace_back(name, &optimizer.numbers.at(name));
  }
  assign(flag, call, fields);
  for (const OptimizerNumber& number : optimizer.word().numbers)
    if (number.below_one && optimizer.numbers.at(std::string(number.name)) >= 1)
      refuse(flag, fmt::format("{} must be less than 1", number.name));
  return optimizer;
}

RateSchedule parse_schedule(const Flag& flag) {
  const Call call = parse_call(flag, flag.text);
  RateSchedule s;
  s.kind = call.name;
  if (s.kind == "cosine") {
    assign(flag, call, {{"warmup", &s.warmup}});
  } else if (s.kind == "step") {
    s.factor = 0.1;
    assign(flag, call, {{"every", &s.every}, {"factor", &s.factor}});
    if (s.every < 1) refuse(flag, "every must be at least 1 step: step(every = 10000, factor = 0.5)");
  } else if (s.kind == "constant") {
    assign(flag, call, {});
  } else {
    refuse(flag, "a schedule is constant, cosine(warmup) or step(every, factor)");
  }
  return s;
}

void require_metric(const Flag& flag, const std::string& metric) {
  if (std::find(training_metrics.begin(), training_metrics.end(), metric) == training_metrics.end())
    refuse(flag, fmt::format("there is no metric {} of runs that train; known: {}", metric,
                             fmt::join(training_metrics, ", ")));
}

NumberSchedule parse_number_schedule(const Flag& flag, const std::string& text) {
  NumberSchedule s;
  if (text.find('(') == std::string::npos) {
    s.to = real(flag, text, 0);
    return s;
  }
  const Call call = parse_call(flag, text);
  s.kind = call.name;
  if (s.kind != "linear" && s.kind != "cyclical")
    refuse(flag, "a number, linear(from, to, steps) or cyclical(from, to, period) is needed");
  s.from = s.to = s.steps = std::nan("");
  const char* length = s.kind == "linear" ? "steps" : "period";
  const std::vector<std::pair<std::string, double*>> fields = {
      {"from", &s.from}, {"to", &s.to}, {length, &s.steps}};
  assign(flag, call, fields);
  for (const auto& [name, place] : fields)
    if (std::isnan(*place)) refuse(flag, fmt::format("{} needs its argument {}", call.name, name));
  if (s.steps < 1) refuse(flag, fmt::format("{} must be at least 1 step", length));
  return s;
}

/// `early(metric, patience)` or `none`.
StopSettings parse_stop(const Flag& flag) {
  StopSettings stop;
  if (flag.text == "none") return stop;
  const size_t open = flag.text.find('(');
  const bool early = trimmed(flag.text.substr(0, open)) == "early" && flag.text.back() == ')';
  std::vector<std::string> items;
  if (early) items = items_of(flag.text.substr(open + 1, flag.text.size() - open - 2));
  if (items.size() != 2) refuse(flag, "early(METRIC, patience) or none is needed");
  const std::string named = "patience=";
  if (items[1].starts_with(named)) items[1] = trimmed(items[1].substr(named.size()));
  stop.metric = items[0];
  require_metric(flag, stop.metric);
  stop.patience = whole(flag, items[1], bounds::counts);
  return stop;
}

/// The flag's text, which must be one of the words.
std::string word(const Flag& flag, const std::vector<std::string>& words) {
  if (std::find(words.begin(), words.end(), flag.text) == words.end())
    refuse(flag, fmt::format("this must be one of {}", fmt::join(words, ", ")));
  return flag.text;
}

}  // namespace

int precision_of(const Settings& settings) {
  return settings.precision == "tf32" ? VAE_TF32 : settings.precision == "bf16" ? VAE_BF16 : VAE_FP32;
}

NumberSchedule number_schedule(const std::string& key, const std::string& text) {
  return parse_number_schedule({key, text}, text);
}

double number_of_flag(const std::string& key, const std::string& text) { return real({key, text}, text, 0); }

int64_t whole_of_flag(const std::string& key, const std::string& text) {
  return whole({key, text}, text, bounds::counts);
}

const Learn& find_learn(const Image& image, const std::string& name) {
  if (image.learns.empty())
    throw Failure(
        Exit::bad_configuration,
        fmt::format("{} has no learn block: add `learn symmetric {{ steps = 20_000 }}`", image.file));
  const Learn* found = name.empty() ? &image.learns.front() : nullptr;
  std::vector<std::string> names;
  for (const Learn& learn : image.learns) {
    names.push_back(learn.name);
    if (learn.name == name) found = &learn;
  }
  if (!found)
    throw Failure(Exit::usage,
                  fmt::format("there is no learn block {}; known: {}", name, fmt::join(names, ", ")));
  if (!found->available())
    throw Failure(Exit::bad_configuration, fmt::format("learn {} {}", found->name, found->unavailable));
  return *found;
}

Settings settings_of(const Learn& learn, const Image& image) {
  Settings settings = learn.settings;
  add_own_weights(settings, image);
  for (const Player& player : image.players) {
    settings.optimizers.try_emplace(player.name);
    settings.clip.try_emplace(player.name, 0);
  }
  return settings;
}

void add_own_weights(Settings& settings, const Image& image) {
  for (const auto& [name, rows] : settings.batch)
    if (const int source = image.source(name); source >= 0)
      settings.weights.try_emplace(
          name, NumberSchedule{"constant", 0, image.sources[static_cast<size_t>(source)].weight, 1});
}

std::vector<std::string> learned_sources(const Settings& settings) {
  std::vector<std::string> learned;
  for (const std::string& name : settings.sources) {
    const auto weight = settings.weights.find(name);
    const bool none = weight != settings.weights.end() && weight->second.to == 0 &&
                      (weight->second.kind == "constant" || weight->second.from == 0);
    if (!none) learned.push_back(name);
  }
  return learned;
}

void override_key(Settings& settings, const std::string& key, const std::string& text) {
  const Flag flag{key, text};
  const LearnKey* entry = find_learn_key(key);
  if (entry && entry->kind != LearnKey::Kind::common) {
    override_own_key(settings, *entry, text);
  } else if (key == "steps") {
    settings.steps = whole(flag, text, bounds::steps);
  } else if (key == "batch") {
    set_entries(settings.batch, flag, "source",
                [&](int64_t& rows, const std::string& value) { rows = whole(flag, value, bounds::batch); });
  } else if (key == "optimizer") {
    set_entries(settings.optimizers, flag, "player",
                [&](OptimizerSettings& o, const std::string& value) { o = parse_optimizer(flag, value); });
  } else if (key == "lr") {
    set_entries(settings.optimizers, flag, "player",
                [&](OptimizerSettings& optimizer, const std::string& value) {
                  const double lr = real(flag, value, 0);
                  if (optimizer.learns()) optimizer.numbers.at("lr") = lr;
                });
  } else if (key == "schedule") {
    settings.schedule = parse_schedule(flag);
  } else if (key == "clip") {
    set_entries(settings.clip, flag, "player",
                [&](double& clip, const std::string& value) { clip = real(flag, value, 0); });
  } else if (key == "weight") {
    if (text.find('=') == std::string::npos) refuse(flag, "say SOURCE=NUMBER");
    set_entries(settings.weights, flag, "source", [&](NumberSchedule& weight, const std::string& value) {
      weight = parse_number_schedule(flag, value);
    });
  } else if (key == "average") {
    settings.average = real(flag, text, 0);
    if (settings.average >= 1) refuse_part(flag, text, "less than 1");
  } else if (key == "evaluate") {
    settings.evaluate = names_of(flag);
    for (const std::string& metric : settings.evaluate) require_metric(flag, metric);
  } else if (key == "stop") {
    settings.stop = parse_stop(flag);
  } else if (key == "keep") {
    settings.keep = whole(flag, text, bounds::every);
  } else if (key == "seed") {
    settings.seed = static_cast<uint64_t>(whole(flag, text, bounds::seed));
  } else if (key == "order") {
    settings.order = word(flag, {"alternating", "simultaneous"});
  } else if (key == "precision") {
    settings.precision = word(flag, {"fp32", "tf32", "bf16"});
  } else if (key == "sources") {
    settings.sources = names_of(flag);
    for (const std::string& name : settings.sources)
      if (!settings.batch.count(name)) {
        std::vector<std::string> names;
        for (const auto& [known, rows] : settings.batch) names.push_back(known);
        refuse(flag,
               fmt::format("there is no source {} to learn from; known: {}", name, fmt::join(names, ", ")));
      }
  } else if (key == "start") {
    settings.start = text;
  } else if (key == "every") {
    if (text.find('=') == std::string::npos) refuse(flag, "say log=N, sample=N, checkpoint=N or evaluate=N");
    set_entries(settings.every, flag, "event",
                [&](int64_t& n, const std::string& value) { n = whole(flag, value, bounds::every); });
  }
}

void override_keys(Settings& settings, const KeysOfFlags& flags) {
  const bool counts_phases = steps_of_phases(settings.own) == settings.steps;
  for (const auto& [key, text] : flags) override_key(settings, key, text);
  if (counts_phases && std::ranges::none_of(flags, [](const auto& flag) { return flag.first == "steps"; }))
    settings.steps = steps_of_phases(settings.own);
}

void check(const Settings& settings, const Image& image) {
  const auto refuse_settings = [](const std::string& cause) {
    throw Failure(Exit::bad_configuration, cause);
  };
  if (settings.sources.empty()) refuse_settings("there is no source to learn from");
  if (learned_sources(settings).empty())
    refuse_settings(
        fmt::format("learn {}: there is no source to learn from: all weights are 0", settings.learn));
  for (const std::string& name : settings.sources) {
    const int source = image.source(name);
    if (source < 0 || !settings.batch.count(name)) {
      std::vector<std::string> names;
      for (const auto& [known, rows] : settings.batch) names.push_back(known);
      refuse_settings(
          fmt::format("learn {} has no source {}: {}", settings.learn, name, fmt::join(names, ", ")));
    }
  }
  for (const auto& [source, rows] : settings.batch)
    if (image.source(source) < 0) refuse_settings(fmt::format("there is no source {}", source));
  for (const auto& [player, optimizer] : settings.optimizers)
    if (image.player(player) < 0) refuse_settings(fmt::format("there is no player {}", player));
  if (reads_averages(image) && settings.average == 0)
    refuse_settings(fmt::format(
        "learn {}: a conditional reads `average(...)`, which needs an average above 0", settings.learn));
  if (!settings.stop.metric.empty() && settings.every.at("evaluate") == 0)
    refuse_settings(fmt::format("learn {}: stop = early({}, {}) needs evaluations: --every evaluate=N",
                                settings.learn, settings.stop.metric, settings.stop.patience));
  for (const Player& player : image.players)
    if (!settings.optimizers.count(player.name) || !settings.clip.count(player.name))
      refuse_settings(fmt::format("player {} has no optimizer", player.name));
}

}  // namespace core
