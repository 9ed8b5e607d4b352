#include "runtime/core/learning/step/training_state.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "runtime/core/finite.h"
#include "runtime/core/ranks/ranks.h"
#include "runtime/core/run/preprocessing.h"
#include "runtime/data/arrays/byte_source.h"
#include "runtime/schema/json_fields.h"
#include "runtime/shared/failure.h"

namespace core {
namespace fs = std::filesystem;
using nlohmann::json;
using schema::JsonFields;

namespace {

constexpr double most_real = std::numeric_limits<double>::max();

/// A state without steps. The parameters are not set.
TrainingState blank_state(Session& session, const Settings& settings) {
  TrainingState state{.parameters = session.parameters};
  if (settings.average > 0) session.parameters.keep_averages();
  for (const Optimizer& optimizer : optimizers_of(session.image, settings))
    state.optimizers.push_back(optimizer.initial_state());
  return state;
}

/// Averages of no steps are the parameters.
void begin_averages(TrainingState& state, const Image& image) {
  state.averaged_steps = 0;
  for (size_t i = 0; i < image.players.size(); ++i) {
    const auto player = static_cast<int>(i);
    std::copy_n(state.parameters.of(player), image.players[i].elements, state.parameters.average_of(player));
  }
}

/// The tensor of the same name and shape; null if there is none, and then `why` says so.
const data::Tensor* find_tensor(const data::Tensors& tensors, const Parameter& parameter, std::string& why) {
  const auto found = tensors.find(parameter.name);
  why = parameter.name;
  if (found == tensors.end()) return nullptr;
  if (found->second.shape == parameter.shape) return &found->second;
  why = fmt::format("{} ({} there, {} here)", parameter.name, data::to_string(found->second.shape),
                    data::to_string(parameter.shape));
  return nullptr;
}

/// Takes the parameters that the checkpoint of another run has, and draws the others.
void take_parameters(TrainingState& state, const Image& image, uint64_t seed, const fs::path& run) {
  const fs::path file = require_checkpoint(run).path / "model.safetensors";
  const data::Tensors tensors = data::read_safetensors(file);
  std::vector<std::string> fresh;
  size_t taken = 0;
  state.parameters.initialise(image, seed, [&](const Parameter& parameter, float* to) {
    std::string why;
    const data::Tensor* found = find_tensor(tensors, parameter, why);
    if (!found) {
      fresh.push_back(why);
      return false;
    }
    if (const char* what = not_finite(found->values); what[0] != 0)
      throw Failure(Exit::bad_data,
                    fmt::format("{}: {} holds a value that is {}", file.string(), parameter.name, what));
    std::copy(found->values.begin(), found->values.end(), to);
    ++taken;
    return true;
  });
  if (taken == 0)
    throw Failure(Exit::bad_configuration,
                  fmt::format("start: {} has no tensor of this model's names and shapes", file.string()));
  if (!fresh.empty())
    state.notes.push_back(fmt::format("start: {} of {} tensors are from {}; fresh: {}", taken,
                                      taken + fresh.size(), run.string(), fmt::join(fresh, ", ")));
}

void restore_numbers(TrainingState& state, const Session& session, const Settings& settings,
                     const JsonFields& fields, int64_t step) {
  if (fields.whole("step", bounds::steps) != step)
    fields.refuse("step", fmt::format("{}, as the folder's name says,", step));
  const JsonFields updates = fields.object("updates"), sums = fields.object("sums"),
                   counts = fields.object("summed_steps");
  for (size_t i = 0; i < state.optimizers.size(); ++i)
    state.optimizers[i].updates = updates.whole(session.image.players[i].name, bounds::steps);
  if (settings.average > 0) state.averaged_steps = fields.whole("averaged_steps", {0, step}, 0);
  // A checkpoint has the sums of all ranks; the first rank continues them.
  for (const std::string& term : sums.keys())
    state.sums[term] = {session.ranks->is_first() ? sums.real(term, -most_real, most_real) : 0,
                        counts.whole(term, {0, step}, 0)};
  if (settings.method == "libi") state.libi = libi_state_of(fields.object("libi"), step);
  state.step = step;
  state.seconds = fields.real("seconds", 0, most_real);
}

}  // namespace

TrainingState initial_state(Session& session, const Settings& settings) {
  TrainingState state = blank_state(session, settings);
  state.parameters.initialise(session.image, settings.seed);
  if (settings.average > 0) begin_averages(state, session.image);
  return state;
}

TrainingState started_state(Session& session, const Settings& settings) {
  if (settings.start.empty()) return initial_state(session, settings);
  TrainingState state = blank_state(session, settings);
  take_parameters(state, session.image, settings.seed, start_run(settings, session.image));
  if (settings.average > 0) begin_averages(state, session.image);
  return state;
}

TrainingState restored_state(Session& session, const Settings& settings, const Checkpoint& checkpoint) {
  const Image& image = session.image;
  const fs::path &folder = checkpoint.path, optimizer_file = folder / "optimizer.safetensors";
  TrainingState state = blank_state(session, settings);
  session.load_parameters(folder / "model.safetensors");
  const data::Tensors optimizer = data::read_safetensors(optimizer_file);
  for (size_t i = 0; i < image.players.size(); ++i)
    for (const auto& [name, values] : state.optimizers[i].moments)
      take_tensors(image.players[i], optimizer, "." + name, optimizer_file, values.data());
  const fs::path file = folder / "state.json";
  const json text = read_json(file);
  restore_numbers(state, session, settings, JsonFields(text, file.string()), checkpoint.step);
  if (settings.average <= 0) return state;
  if (state.averaged_steps == 0) {
    begin_averages(state, image);
    return state;
  }
  const fs::path average_file = folder / "average.safetensors";
  const data::Tensors averages = data::read_safetensors(average_file);
  for (size_t i = 0; i < image.players.size(); ++i)
    take_tensors(image.players[i], averages, "", average_file,
                 state.parameters.average_of(static_cast<int>(i)));
  return state;
}

void save(const TrainingState& state, const Session& session, const Settings& settings,
          const fs::path& folder, double seconds) {
  const Image& image = session.image;
  const bool averages = settings.average > 0;
  data::Tensors model, optimizer, average;
  json updates = json::object(), sums = json::object(), counts = json::object();
  for (size_t i = 0; i < image.players.size(); ++i) {
    const Player& player = image.players[i];
    add_tensors(player, state.parameters.of(static_cast<int>(i)), "", model);
    for (const auto& [name, values] : state.optimizers[i].moments)
      add_tensors(player, values.data(), "." + name, optimizer);
    updates[player.name] = state.optimizers[i].updates;
    if (averages) add_tensors(player, state.parameters.average_of(static_cast<int>(i)), "", average);
  }
  for (const auto& [term, total] : state.sums) sums[term] = total.sum, counts[term] = total.steps;
  const std::map<std::string, std::string> about = {{"program", image.file},
                                                    {"step", fmt::to_string(state.step)}};
  data::write_safetensors(folder / "model.safetensors", model, about);
  data::write_safetensors(folder / "optimizer.safetensors", optimizer);
  if (averages) data::write_safetensors(folder / "average.safetensors", average, about);
  json numbers = {{"step", state.step}, {"seed", settings.seed},  {"updates", updates},
                  {"sums", sums},       {"summed_steps", counts}, {"seconds", seconds}};
  if (settings.method == "libi") numbers["libi"] = to_json(state.libi);
  if (averages) numbers["averaged_steps"] = state.averaged_steps;
  save_preprocessing(folder, image, learned_sources(settings), session.rows.words());
  const std::string text = numbers.dump(2) + "\n";
  data::write_file(folder / "state.json", {text.begin(), text.end()});
}

void require_finite(const TrainingState& state, const Image& image) {
  const auto require = [&](const Player& player, const float* flat, const std::string& suffix) {
    for (const Parameter& parameter : player.parameters) {
      const char* what = not_finite({flat + parameter.offset, static_cast<size_t>(parameter.elements())});
      if (what[0] == 0) continue;
      throw Failure(Exit::diagnostics,
                    fmt::format("step {}: player {}'s {}{} is {}; a lower learning rate or clip may help",
                                state.step, player.name, parameter.name, suffix, what));
    }
  };
  for (size_t i = 0; i < image.players.size(); ++i) {
    require(image.players[i], state.parameters.of(static_cast<int>(i)), "");
    for (const auto& [name, values] : state.optimizers[i].moments)
      require(image.players[i], values.data(), "." + name);
  }
}

}  // namespace core
