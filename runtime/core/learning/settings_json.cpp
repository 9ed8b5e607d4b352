// Settings as JSON: what config.json holds, and the keys of a learn block as the compiler describes them.
#include <cmath>

#include "runtime/core/json_fields.h"
#include "runtime/core/learning/settings.h"

namespace core {
namespace {
using nlohmann::json;

const std::vector<std::string> optimizer_kinds = {"adam", "adamw", "sgd", "none"},
                               schedule_kinds = {"constant", "cosine", "step"};
const double below_one = std::nextafter(1.0, 0.0);

OptimizerSettings optimizer_from(const JsonFields& fields) {
  OptimizerSettings o;
  o.kind = fields.word("kind", optimizer_kinds, o.kind);
  o.lr = fields.real("lr", 0, bounds::most_real, o.lr);
  o.beta1 = fields.real("beta1", 0, below_one, o.beta1);
  o.beta2 = fields.real("beta2", 0, below_one, o.beta2);
  o.eps = fields.real("eps", 0, bounds::most_real, o.eps);
  o.weight_decay = fields.real("weight_decay", 0, bounds::most_real, o.weight_decay);
  o.momentum = fields.real("momentum", 0, below_one, o.momentum);
  return o;
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

}  // namespace

json to_json(const Settings& settings) {
  json optimizers = json::object();
  json weights = json::object();
  for (const auto& [source, weight] : settings.weights)
    weights[source] = {
        {"kind", weight.kind}, {"from", weight.from}, {"to", weight.to}, {"steps", weight.steps}};
  for (const auto& [player, o] : settings.optimizers) {
    json& entry = optimizers[player] = {{"kind", o.kind}};
    if (o.kind == "none") continue;
    entry["lr"] = o.lr;
    if (o.kind == "sgd") entry["momentum"] = o.momentum;
    if (o.kind == "adamw") entry["weight_decay"] = o.weight_decay;
    if (o.kind != "sgd") entry.update({{"beta1", o.beta1}, {"beta2", o.beta2}, {"eps", o.eps}});
  }
  json schedule = {{"kind", settings.schedule.kind}};
  if (settings.schedule.kind == "cosine") schedule["warmup"] = settings.schedule.warmup;
  if (settings.schedule.kind == "step")
    schedule.update({{"every", settings.schedule.every}, {"factor", settings.schedule.factor}});
  return {{"method", settings.method},       {"learn", settings.learn},     {"steps", settings.steps},
          {"batch", settings.batch},         {"optimizers", optimizers},    {"schedule", schedule},
          {"clip", settings.clip},           {"seed", settings.seed},       {"order", settings.order},
          {"precision", settings.precision}, {"sources", settings.sources}, {"start", settings.start},
          {"every", settings.every},         {"average", settings.average}, {"weights", weights}};
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
  settings.clip = fields.real("clip", 0, bounds::most_real, 0);
  settings.average = fields.real("average", 0, below_one, 0);
  settings.seed = static_cast<uint64_t>(fields.whole("seed", bounds::seed, 0));
  settings.order = fields.word("order", {"alternating", "simultaneous"}, settings.order);
  settings.precision = fields.word("precision", {"fp32", "tf32", "bf16"}, settings.precision);
  settings.sources = fields.texts("sources");
  settings.start = fields.text("start", "");
  if (fields.has("weights")) {
    const JsonFields weights = fields.object("weights");
    for (const std::string& source : weights.keys())
      settings.weights[source] = number_schedule_from(weights.object(source));
  }
  settings.every = {{"log", 100}, {"sample", 1000}, {"checkpoint", 1000}, {"evaluate", 5000}};
  if (!fields.has("every")) return settings;
  const JsonFields every = fields.object("every");
  for (auto& [event, n] : settings.every) n = every.whole(event, bounds::every, n);
  return settings;
}

}  // namespace core
