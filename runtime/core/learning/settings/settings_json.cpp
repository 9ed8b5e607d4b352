// Settings as JSON: what config.json holds, and the keys of a learn block as the compiler describes them.
#include <algorithm>
#include <cmath>

#include "runtime/core/json_fields.h"
#include "runtime/core/learning/settings/settings.h"
#include "runtime/schema/training_metrics.h"

namespace core {
namespace {
using nlohmann::json;

const std::vector<std::string> schedule_kinds = {"constant", "cosine", "step"};
const double below_one = std::nextafter(1.0, 0.0);

OptimizerSettings optimizer_from(const JsonFields& fields) {
  OptimizerSettings optimizer(fields.word("kind", optimizer_names(), "adam"));
  for (const OptimizerNumber& number : optimizer.word().numbers) {
    const std::string name(number.name);
    const double most = number.below_one ? below_one : bounds::most_real;
    optimizer.numbers[name] = fields.real(name, 0, most, number.fallback);
  }
  return optimizer;
}

RateSchedule schedule_from(const JsonFields& fields) {
  RateSchedule s;
  s.kind = fields.word("kind", schedule_kinds, s.kind);
  s.warmup = fields.real("warmup", 0, bounds::most_real, s.warmup);
  s.every = s.kind == "step" ? fields.real("every", 1, bounds::most_real)
                             : fields.real("every", 0, bounds::most_real, s.every);
  s.factor = fields.real("factor", 0, bounds::most_real, s.factor);
  return s;
}

NumberSchedule number_schedule_from(const JsonFields& fields) {
  NumberSchedule s;
  s.kind = fields.word("kind", {"constant", "linear", "cyclical"});
  s.from = fields.real("from", 0, bounds::most_real);
  s.to = fields.real("to", 0, bounds::most_real);
  s.steps = fields.real("steps", 1, bounds::most_real);
  return s;
}

using NumberSchedules = std::map<std::string, NumberSchedule>;

json schedules_json(const NumberSchedules& schedules) {
  json text = json::object();
  for (const auto& [name, s] : schedules)
    text[name] = {{"kind", s.kind}, {"from", s.from}, {"to", s.to}, {"steps", s.steps}};
  return text;
}

NumberSchedules number_schedules_from(const JsonFields& fields, const std::string& key) {
  NumberSchedules schedules;
  if (!fields.has(key)) return schedules;
  const JsonFields entries = fields.object(key);
  for (const std::string& name : entries.keys()) schedules[name] = number_schedule_from(entries.object(name));
  return schedules;
}

/// A single number if all players have the same one.
json clip_json(const std::map<std::string, double>& clips) {
  const bool same = std::all_of(clips.begin(), clips.end(),
                                [&](const auto& entry) { return entry.second == clips.begin()->second; });
  if (!same) return clips;
  return clips.empty() ? 0.0 : clips.begin()->second;
}

std::map<std::string, double> clips_from(const json& text, const JsonFields& fields,
                                         const Settings& settings) {
  std::map<std::string, double> clips;
  const bool of_each = fields.has("clip") && text["clip"].is_object();
  for (const auto& [player, optimizer] : settings.optimizers)
    clips[player] = of_each ? fields.object("clip").real(player, 0, bounds::most_real, 0)
                            : fields.real("clip", 0, bounds::most_real, 0);
  return clips;
}

std::vector<std::string> metrics_from(const JsonFields& fields) {
  const std::vector<std::string> metrics = fields.texts("evaluate");
  for (const std::string& metric : metrics)
    if (std::find(training_metrics.begin(), training_metrics.end(), metric) == training_metrics.end())
      fields.refuse("evaluate", "names of metrics");
  return metrics;
}

void read_own_keys(const json& text, const JsonFields& fields, Settings& settings) {
  for (const LearnKey& key : own_keys_of(settings.method)) {
    const std::string name(key.name);
    if (!fields.has(name)) continue;
    if (key.kind == LearnKey::Kind::number && text[name].is_object()) {
      settings.scheduled[name] = number_schedule_from(fields.object(name));
    } else if (key.kind == LearnKey::Kind::number) {
      settings.scheduled[name] = {"constant", 0, fields.real(name, 0, bounds::most_real), 1};
    } else if (key.kind == LearnKey::Kind::real && !text[name].is_null()) {
      settings.own[name] = fields.real(name, 0, bounds::most_real);
    } else if (key.kind == LearnKey::Kind::whole && !text[name].is_null()) {
      settings.own[name] = fields.whole(name, bounds::counts);
    } else if (!text[name].is_null()) {
      settings.own[name] = text[name];
    }
  }
}

}  // namespace

json to_json(const Settings& settings) {
  json optimizers = json::object();
  for (const auto& [player, optimizer] : settings.optimizers) {
    optimizers[player] = optimizer.numbers;
    optimizers[player]["kind"] = optimizer.kind;
  }
  json schedule = {{"kind", settings.schedule.kind}};
  if (settings.schedule.kind == "cosine") schedule["warmup"] = settings.schedule.warmup;
  if (settings.schedule.kind == "step")
    schedule.update({{"every", settings.schedule.every}, {"factor", settings.schedule.factor}});
  json text = {{"method", settings.method},
               {"learn", settings.learn},
               {"steps", settings.steps},
               {"batch", settings.batch},
               {"optimizers", optimizers},
               {"schedule", schedule},
               {"clip", clip_json(settings.clip)},
               {"seed", settings.seed},
               {"order", settings.order},
               {"precision", settings.precision},
               {"sources", settings.sources},
               {"start", settings.start},
               {"every", settings.every},
               {"average", settings.average},
               {"weights", schedules_json(settings.weights)},
               {"evaluate", settings.evaluate},
               {"stop", nullptr},
               {"keep", settings.keep}};
  for (const auto& [key, value] : settings.own.items()) text[key] = value;
  for (const auto& [key, number] : settings.scheduled)
    text[key] =
        number.kind == "constant" ? json(number.to) : schedules_json(NumberSchedules{{key, number}})[key];
  if (!settings.stop.metric.empty())
    text["stop"] = {{"metric", settings.stop.metric}, {"patience", settings.stop.patience}};
  return text;
}

Settings settings_from(const json& text, const std::string& where) {
  const JsonFields fields(text, where);
  Settings settings;
  settings.method = fields.text("method");
  settings.learn = fields.text("learn");
  settings.steps = fields.whole("steps", bounds::steps);
  const JsonFields batch = fields.object("batch"), optimizers = fields.object("optimizers");
  for (const std::string& source : batch.keys()) settings.batch[source] = batch.whole(source, bounds::batch);
  for (const std::string& player : optimizers.keys())
    settings.optimizers[player] = optimizer_from(optimizers.object(player));
  if (fields.has("schedule")) settings.schedule = schedule_from(fields.object("schedule"));
  settings.clip = clips_from(text, fields, settings);
  if (fields.has("evaluate")) settings.evaluate = metrics_from(fields);
  if (fields.has("stop") && !text["stop"].is_null()) {
    const JsonFields stop = fields.object("stop");
    settings.stop = {stop.word("metric", training_metrics), stop.whole("patience", bounds::counts)};
  }
  settings.keep = fields.whole("keep", bounds::every, 0);
  settings.average = fields.real("average", 0, below_one, 0);
  settings.seed = static_cast<uint64_t>(fields.whole("seed", bounds::seed, 0));
  settings.order = fields.word("order", {"alternating", "simultaneous"}, settings.order);
  settings.precision = fields.word("precision", {"fp32", "tf32", "bf16"}, settings.precision);
  settings.sources = fields.texts("sources");
  settings.start = fields.text("start", "");
  settings.weights = number_schedules_from(fields, "weights");
  settings.scheduled = number_schedules_from(fields, "scheduled");  // from runs of version 0.2.0
  read_own_keys(text, fields, settings);
  settings.every = {{"log", 100}, {"sample", 1000}, {"checkpoint", 1000}, {"evaluate", 5000}};
  if (!fields.has("every")) return settings;
  const JsonFields every = fields.object("every");
  for (auto& [event, n] : settings.every) n = every.whole(event, bounds::every, n);
  return settings;
}

}  // namespace core
