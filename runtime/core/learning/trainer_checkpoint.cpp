// What a trainer begins from, saves and restores.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "runtime/core/finite.h"
#include "runtime/core/learning/trainer.h"
#include "runtime/core/ranks/ranks.h"
#include "runtime/core/run/preprocessing.h"
#include "runtime/data/arrays/byte_source.h"
#include "runtime/schema/json_fields.h"
#include "runtime/shared/failure.h"

namespace core {
namespace fs = std::filesystem;
using nlohmann::json;

void Trainer::start() {
  if (settings_.start.empty()) return;
  const fs::path run = start_run(settings_, session_.image);
  const fs::path file = require_checkpoint(run).path / "model.safetensors";
  const data::Tensors tensors = data::read_safetensors(file);
  std::vector<std::string> fresh;
  size_t taken = 0;
  for (size_t i = 0; i < session_.image.players.size(); ++i)
    for (const Parameter& parameter : session_.image.players[i].parameters) {
      const auto found = tensors.find(parameter.name);
      if (found == tensors.end() || found->second.shape != parameter.shape) {
        fresh.push_back(found == tensors.end() ? parameter.name
                                               : fmt::format("{} ({} there, {} here)", parameter.name,
                                                             data::to_string(found->second.shape),
                                                             data::to_string(parameter.shape)));
        continue;
      }
      const std::vector<float>& values = found->second.values;
      if (const char* what = not_finite(values); what[0] != 0)
        throw Failure(Exit::bad_data,
                      fmt::format("{}: {} holds a value that is {}", file.string(), parameter.name, what));
      std::copy(values.begin(), values.end(), session_.parameters.of(static_cast<int>(i)) + parameter.offset);
      ++taken;
    }
  if (taken == 0)
    throw Failure(Exit::bad_configuration,
                  fmt::format("start: {} has no tensor of this model's names and shapes", file.string()));
  if (!fresh.empty())
    start_notes_.push_back(fmt::format("start: {} of {} tensors are from {}; fresh: {}", taken,
                                       taken + fresh.size(), run.string(), fmt::join(fresh, ", ")));
  if (average_) average_->begin();
}

void Trainer::save(const fs::path& folder, double seconds) const {
  const Image& image = session_.image;
  data::Tensors model, optimizer, averages;
  json updates = json::object(), sums = json::object(), counts = json::object();
  for (size_t i = 0; i < image.players.size(); ++i) {
    add_tensors(image.players[i], session_.parameters.of(static_cast<int>(i)), "", model);
    for (const auto& [name, state] : optimizers_[i].state())
      add_tensors(image.players[i], state, "." + name, optimizer);
    updates[image.players[i].name] = optimizers_[i].steps;
    if (average_) add_tensors(image.players[i], average_->of(static_cast<int>(i)), "", averages);
  }
  for (const Term& term : terms_) sums[key_of(term)] = term.sum, counts[key_of(term)] = term.steps;
  data::write_safetensors(folder / "model.safetensors", model,
                          {{"program", image.file}, {"step", fmt::to_string(step_)}});
  data::write_safetensors(folder / "optimizer.safetensors", optimizer);
  if (average_)
    data::write_safetensors(folder / "average.safetensors", averages,
                            {{"program", image.file}, {"step", fmt::to_string(step_)}});
  // A draw depends on the seed and the step, so the step is the whole state of the random numbers and of the
  // positions in the data.
  json state = {{"step", step_}, {"seed", settings_.seed}, {"updates", updates},
                {"sums", sums},  {"summed_steps", counts}, {"seconds", seconds}};
  if (libi_) state["libi"] = libi_->state();
  save_preprocessing(folder, image, settings_.sources);
  if (average_) state["averaged_steps"] = average_->steps;
  const std::string text = state.dump(2) + "\n";
  data::write_file(folder / "state.json", {text.begin(), text.end()});
}

void Trainer::require_finite() const {
  const auto require = [&](const Player& player, const float* flat, const std::string& suffix) {
    for (const Parameter& parameter : player.parameters) {
      const char* what = not_finite({flat + parameter.offset, static_cast<size_t>(parameter.elements())});
      if (what[0] == 0) continue;
      throw Failure(Exit::diagnostics,
                    fmt::format("step {}: player {}'s {}{} is {}; a lower learning rate or clip may help",
                                step_, player.name, parameter.name, suffix, what));
    }
  };
  for (size_t i = 0; i < session_.image.players.size(); ++i) {
    const Player& player = session_.image.players[i];
    require(player, session_.parameters.of(static_cast<int>(i)), "");
    for (const auto& [name, state] : optimizers_[i].state()) require(player, state, "." + name);
  }
}

double Trainer::restore(const Checkpoint& checkpoint) {
  const Image& image = session_.image;
  const fs::path &folder = checkpoint.path, optimizer_file = folder / "optimizer.safetensors";
  session_.load_parameters(folder / "model.safetensors");
  const data::Tensors optimizer = data::read_safetensors(optimizer_file);
  for (size_t i = 0; i < image.players.size(); ++i)
    for (const auto& [name, values] : optimizers_[i].state())
      take_tensors(image.players[i], optimizer, "." + name, optimizer_file, values);
  const fs::path file = folder / "state.json";
  const double seconds = restore_state(read_json(file), file, checkpoint.step);
  if (average_ && average_->steps == 0) average_->begin();
  if (!average_ || average_->steps == 0) return seconds;
  const fs::path average_file = folder / "average.safetensors";
  const data::Tensors averages = data::read_safetensors(average_file);
  for (size_t i = 0; i < image.players.size(); ++i)
    take_tensors(image.players[i], averages, "", average_file, average_->of(static_cast<int>(i)));
  return seconds;
}

/// Terms that are new to the run, because it now learns from more sources, begin at zero.
double Trainer::restore_state(const json& state, const fs::path& file, int64_t step) {
  const schema::JsonFields fields(state, file.string());
  if (fields.whole("step", bounds::steps) != step)
    fields.refuse("step", fmt::format("{}, as the folder's name says,", step));
  const schema::JsonFields updates = fields.object("updates"), sums = fields.object("sums"),
                           counts = fields.object("summed_steps");
  for (size_t i = 0; i < session_.image.players.size(); ++i)
    optimizers_[i].steps = updates.whole(session_.image.players[i].name, bounds::steps);
  // An average that is new to the run begins here.
  if (average_) average_->steps = fields.whole("averaged_steps", {0, step}, 0);
  constexpr double most = std::numeric_limits<double>::max();
  for (Term& term : terms_) {
    term.sum = session_.ranks->is_first() ? sums.real(key_of(term), -most, most, 0) : 0;
    term.steps = counts.whole(key_of(term), {0, step}, 0);
  }
  if (libi_) libi_->restore(fields.object("libi"), step);
  step_ = step;
  return fields.real("seconds", 0, most);
}

}  // namespace core
