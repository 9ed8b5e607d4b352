#include "runtime/schema/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "runtime/schema/json_fields.h"
#include "runtime/schema/learn_keys.h"
#include "runtime/schema/training_metrics.h"
#include "runtime/shared/failure.h"

namespace schema {
namespace {
using nlohmann::json;

const std::vector<std::string> schedule_kinds = {"constant", "cosine", "step"};
const double below_one = std::nextafter(1.0, 0.0);

json optimizer_json(const OptimizerSettings& optimizer) {
  json text = optimizer.numbers;
  text["kind"] = optimizer.kind;
  return text;
}

OptimizerSettings optimizer_from(const JsonFields& fields) {
  OptimizerSettings optimizer(fields.word("kind", optimizer_names(), "adam"));
  for (const OptimizerNumber& number : optimizer.word().numbers) {
    const std::string name(number.name);
    const double most = number.below_one ? below_one : bounds::most_real;
    optimizer.numbers[name] = fields.real(name, 0, most, number.fallback);
  }
  return optimizer;
}

json schedule_json(const RateSchedule& s) {
  json text = {{"kind", s.kind}};
  if (s.kind == "cosine") text["warmup"] = s.warmup;
  if (s.kind == "step") text.update({{"every", s.every}, {"factor", s.factor}});
  return text;
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

json number_schedule_json(const NumberSchedule& s) {
  return {{"kind", s.kind}, {"from", s.from}, {"to", s.to}, {"steps", s.steps}};
}

json number_schedules_json(const NumberSchedules& schedules) {
  json text = json::object();
  for (const auto& [name, schedule] : schedules) text[name] = number_schedule_json(schedule);
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

json Settings::to_json() const {
  json described = json::object();
  for (const auto& [player, optimizer] : optimizers) described[player] = optimizer_json(optimizer);
  json text = {{"method", method},
               {"learn", learn},
               {"steps", steps},
               {"batch", batch},
               {"optimizers", described},
               {"schedule", schedule_json(schedule)},
               {"clip", clip_json(clip)},
               {"seed", seed},
               {"order", order},
               {"precision", precision},
               {"sources", sources},
               {"start", start},
               {"every", every},
               {"average", average},
               {"weights", number_schedules_json(weights)},
               {"evaluate", evaluate},
               {"stop", nullptr},
               {"keep", keep}};
  for (const auto& [key, value] : own.items()) text[key] = value;
  for (const auto& [key, number] : scheduled)
    text[key] = number.kind == "constant" ? json(number.to) : number_schedule_json(number);
  if (!stop.metric.empty()) text["stop"] = {{"metric", stop.metric}, {"patience", stop.patience}};
  return text;
}

Settings Settings::from_json(const json& text, const Place& place) {
  try {
    return settings_from(text, place.text());
  } catch (const Failure& failure) {
    throw Malformed({}, failure.what());
  }
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

double RateSchedule::rate(int64_t step, int64_t steps) const {
  const auto now = static_cast<double>(step), all = static_cast<double>(steps);
  if (kind == "cosine") {
    const double rising = warmup < 1 ? warmup * all : warmup;  // below 1: as a share of all steps
    if (now < rising) return (now + 1) / rising;
    return 0.5 * (1 + std::cos(M_PI * std::min(1.0, (now - rising) / std::max(1.0, all - rising))));
  }
  if (kind == "step" && every >= 1) return std::pow(factor, std::floor(now / every));
  return 1;
}

double NumberSchedule::at(int64_t step) const {
  if (kind == "constant") return to;
  const auto now = static_cast<double>(step);
  // The number rises during half of each period and stays during the other half (Fu et al. 2019).
  const double share = kind == "linear" ? now / steps : 2 * std::fmod(now, steps) / steps;
  return from + (to - from) * std::min(1.0, share);
}

json json_of_number(double number) {
  const auto whole = static_cast<int64_t>(std::clamp(number, -1e15, 1e15));
  return static_cast<double>(whole) == number ? json(whole) : json(number);
}

std::string in_order(const std::string& list) {
  std::vector<std::string> items(1);
  int depth = 0;
  for (const char c : list) {
    depth += (c == '(') - (c == ')');
    if (c == ',' && depth == 0)
      items.emplace_back();
    else
      items.back() += c;
  }
  std::ranges::sort(items);
  return fmt::to_string(fmt::join(items, ","));
}

}  // namespace schema
