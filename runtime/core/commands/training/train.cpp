#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <ctime>

#include "runtime/core/commands/commands.h"
#include "runtime/core/commands/training/machine_of_rank.h"
#include "runtime/core/commands/training/stop_signals.h"
#include "runtime/core/commands/training/training_run.h"
#include "runtime/core/learning/trainer.h"
#include "runtime/core/machine/thread_pool.h"
#include "runtime/core/ranks/ranks.h"
#include "runtime/core/run/preprocessing.h"
#include "runtime/schema/json_fields.h"
#include "runtime/shared/content_hash.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/print_error.h"
#include "runtime/shared/printable.h"

namespace core {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

std::string time_text() {
  char text[32];
  const std::time_t now = std::time(nullptr);
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  return text;
}

json environment(const Session& session) {
  json versions = {{"vaec", session.image.vaec},
                   {"abi", VAE_ABI_VERSION},
                   {"started", time_text()},
                   {"device", session.device ? session.device->name() : "cpu"},
                   {"cpu", session.image.cpu.name},
                   {"cpu_features", session.image.cpu.features},
                   {"backend", session.machine.library->name},
                   {"threads", session.machine.threads},
                   {"compiler", __VERSION__}};
  if (session.device || session.machine.library->name == std::string("torch"))
    versions["libtorch"] = torch_version();
  const Ranks& ranks = *session.ranks;
  if (ranks.is_several() || !ranks.launched().job.empty())
    versions["ranks"] = {{"size", ranks.size()},
                         {"launcher", ranks.launched().launcher},
                         {"transport", ranks.transport()},
                         {"job", ranks.launched().job}};
  if (ranks.is_several() && session.device) versions["ranks"]["nccl"] = nccl::Library::get().version();
  return versions;
}

/// Sets the checkpoint of the run that `start` names from which the new run begins. It is kept in the
/// settings, so that it also holds if the run is resumed before its first checkpoint.
void take_checkpoint_of_start(Settings& settings, const std::string& which) {
  if (which.empty()) return;
  if (settings.start.empty())
    throw Failure(Exit::usage,
                  fmt::format("--checkpoint {}: it is one of the run that --start names", which));
  settings.start = require_checkpoint(settings.start, which).path.string();
}

/// All ranks must have the same program, settings and data before the first step.
void require_equal_ranks(Session& session, const Settings& settings, const Trainer& trainer) {
  Ranks& ranks = *session.ranks;
  if (!ranks.is_several()) return;
  const auto hash = [](const std::string& text) {
    return fmt::format("the hash {:016x}", content_hash(text));
  };
  std::vector<std::pair<std::string, std::string>> texts = {
      {"the version of vaec", session.image.vaec},
      {"the program", hash(session.image.text)},
      {"the program's params", json(session.image.params).dump()}};
  const json keys = to_json(settings);
  for (const auto& [key, value] : keys.items()) texts.emplace_back(key, schema::json_text(value));
  for (auto& shape : session.rows.shapes()) texts.push_back(std::move(shape));
  texts.emplace_back("the parameters before the first step",
                     fmt::format("the hash {:016x}", trainer.parameter_hash()));
  ranks.require_equal(texts);
}

/// Rank 0 makes or opens the run directory; the others learn its path.
RunDirectory directory_of(Ranks& ranks, const std::function<RunDirectory()>& make) {
  if (!ranks.is_several()) return make();
  if (ranks.is_first()) {
    RunDirectory directory = make();
    ranks.agree();
    ranks.from_first(directory.path().string());
    return directory;
  }
  ranks.agree();
  return RunDirectory::of_another_rank(ranks.from_first(std::string()));
}

int begin(const Image& image, const TrainRequest& request, Ranks& ranks) {
  Settings settings = settings_of(find_learn(image, request.learn), image);
  override_keys(settings, request.overrides);
  check(settings, image);
  fit_to_program(settings, image);
  // The path is absolute, because a run without a checkpoint may be resumed from another folder.
  if (!settings.start.empty()) settings.start = start_run(settings, image).string();
  take_checkpoint_of_start(settings, request.checkpoint);
  const LearningMachine chosen = machine_of_rank(image, request, settings, ranks);
  const MachineRequest& machine = chosen.request;
  if (!chosen.why_no_gpu.empty())
    print_error("training on the processor: {}\n", printable(chosen.why_no_gpu));
  const PreparedImage prepared(image, find_statistics(image, learned_sources(settings)));
  Session session(prepared.get(), machine);
  session.ranks = &ranks;
  if (session.device && request.profile)
    throw Failure(Exit::bad_configuration,
                  "--profile: in this version only the processor's steps are traced");
  Site site(session, exchange_of(image, request.exchange, nullptr, ""));
  // The trainer is made first: if data are missing, no run directory is made.
  Trainer trainer(session, settings, started_state(session, settings));
  ranks.agree();
  require_equal_ranks(session, settings, trainer);
  TrainingRun run(
      session, settings, trainer, site,
      directory_of(ranks,
                   [&] { return RunDirectory::create(request.out, image.file + "-" + settings.learn); }),
      request);
  ranks.settle();
  if (!ranks.is_first()) return run.follow();
  json config = to_json(settings);
  config.update({{"program", image.file},
                 {"params", image.params},
                 {"device", device_name(machine, ranks)},
                 {"backend", session.machine.library->name}});
  // How many threads a rank has says nothing about a run on another number of ranks.
  if (!ranks.is_several()) config["threads"] = session.machine.threads;
  if (session.device) config["cudnn_benchmark"] = session.cudnn_benchmark;
  if (site.exchanges()) config["exchange"] = site.settings();
  run.directory().write("config.json", schema::json_text(config, 2) + "\n");
  run.directory().write("model.vae", image.text);
  run.directory().write("env.json", environment(session).dump(2) + "\n");
  return run.follow();
}

std::string config_file(const fs::path& run) { return (run / "config.json").string(); }

/// The settings with which a run was begun. Fails if they do not fit this model.
Settings settings_of_run(const Image& image, const fs::path& run, const json& config) {
  Settings settings = settings_from(config, config_file(run));
  try {
    const Learn& learn = find_learn(image, settings.learn);
    if (learn.method != settings.method)
      throw Failure(Exit::bad_configuration,
                    fmt::format("learn {} is {}, not {}", learn.name, learn.method, settings.method));
    check(settings, image);
    add_own_weights(settings, image);
    // Runs of version 0.2.0 do not store the method's own keys; they used the keys of the program.
    settings.scheduled.merge(std::map<std::string, NumberSchedule>(settings_of(learn, image).scheduled));
  } catch (const Failure& failure) {
    throw Failure(Exit::bad_configuration, fmt::format("{} is a run of another model, or of another version "
                                                       "of its file: {}",
                                                       run.string(), failure.what()));
  }
  return settings;
}

/// The device, the backend and the number of threads change the last bits of sums. So a resumed run keeps its
/// own, unless the user says otherwise or its GPU does not exist now.
struct MachineOfRun {
  MachineRequest machine;
  std::string device;              // the device that the run keeps as its own
  bool recalled = false;           // the GPU was chosen by the run, not by the user
  std::vector<std::string> notes;  // what the user may not expect
};

MachineOfRun machine_of_run(const Image& image, const MachineRequest& request, const Settings& settings,
                            const json& config, const std::string& config_name, Ranks& ranks) {
  const schema::JsonFields kept(config, config_name);
  const std::string own = kept.text("device", "cpu");
  if (!is_device(own) || own == "auto") kept.refuse("device", "cpu or cuda:N");
  MachineRequest asked = request;
  const bool keeps = request.device == "auto";
  if (keeps && own == "cpu") asked.device = own;
  MachineOfRun found;
  found.machine = machine_of_rank(image, asked, settings, ranks).request;
  const bool on_gpu = gpu_of(found.machine.device) >= 0;
  found.device = keeps ? own : device_name(found.machine, ranks);
  if (keeps && gpu_of(own) >= 0) {
    if (on_gpu && !ranks.is_several()) {
      found.machine.device = own;
      found.recalled = true;
      if (gpu_of(own) != 0) found.machine.opened.reset();
    } else if (!on_gpu) {
      found.notes.push_back(
          fmt::format("the run is of {}, which cannot be used here: it goes on on the processor", own));
    }
  }
  if (on_gpu && !request.cudnn_benchmark && kept.flag("cudnn_benchmark", false)) {
    found.machine.cudnn_benchmark = true;
    found.machine.opened.reset();
  }
  const int64_t threads = kept.whole("threads", bounds::threads, 0);
  if (found.machine.threads == 0 && threads > most_threads())
    found.notes.push_back(
        fmt::format("the run is of {} threads, too many for this machine: it goes on with as many "
                    "as there are cores, and sums may differ in their last bits",
                    threads));
  else if (found.machine.threads == 0)
    found.machine.threads = static_cast<int>(threads);
  const std::string backend = kept.has("backend") ? kept.word("backend", backend_names()) : "";
  if (found.machine.backend.empty()) found.machine.backend = backend;
  return found;
}

Session session_of_run(const Image& image, const MachineOfRun& machine) {
  try {
    return {image, machine.machine};
  } catch (const Failure& failure) {
    if (!machine.recalled) throw;
    throw Failure(failure.exit_code, fmt::format("{}; the run was trained on {}: --device says otherwise",
                                                 failure.what(), machine.device));
  }
}

void refuse_to_go_back(const TrainRequest& request, const Settings& settings, int64_t step) {
  if (settings.steps >= step) return;
  const bool asked = std::any_of(request.overrides.begin(), request.overrides.end(),
                                 [](const auto& entry) { return entry.first == "steps"; });
  const std::string run = request.resume.string();
  if (asked)
    throw Failure(Exit::usage, fmt::format("--steps {}: {} has done {} steps already, and no run goes back",
                                           settings.steps, run, step));
  throw Failure(Exit::bad_data, fmt::format("{}: \"steps\" is {}, and its last checkpoint is of step {}",
                                            config_file(request.resume), settings.steps, step));
}

/// What a changed number of steps means at step `step`, if it means anything.
std::vector<std::string> notes_on_other_steps(const Image& image, const Settings& before, const Settings& now,
                                              int64_t step) {
  std::vector<std::string> notes;
  if (before.steps == now.steps || step == 0 || step >= now.steps) return notes;
  const double old_rate = before.schedule.rate(step, before.steps),
               new_rate = now.schedule.rate(step, now.steps);
  if (before.schedule.kind == now.schedule.kind && std::abs(new_rate - old_rate) > 1e-9)
    notes.push_back(
        fmt::format("schedule {} is now of {} steps, not {}: at step {} the learning rate {} from {:.3g} "
                    "to {:.3g} of its full value",
                    now.schedule.kind, now.steps, before.steps, step, new_rate > old_rate ? "rises" : "falls",
                    old_rate, new_rate));
  const Learn& learn = find_learn(image, now.learn);
  if (learn.method == "libi")
    if (const std::string old_phase =
            Libi(before.own, before.steps).phase_name(std::min(step, before.steps) - 1),
        new_phase = Libi(now.own, now.steps).phase_name(step);
        old_phase != new_phase)
      notes.push_back(
          fmt::format("learn {} shares {} steps among its phases now, not {}: step {} is in the phase {}, "
                      "the step before was in {}",
                      now.learn, now.steps, before.steps, step, new_phase, old_phase));
  return notes;
}

/// The settings of a resumed run that have changed since it began, except `steps` (see above).
std::vector<std::string> notes_on_other_settings(const Settings& before, const Settings& now, int64_t step) {
  std::vector<std::string> notes;
  const json kept = to_json(before), asked = to_json(now);
  for (const auto& [key, value] : asked.items())
    if (key != "steps" && key != "start" && kept.value(key, json()) != value)
      notes.push_back(fmt::format("{} is {} from step {} on; before it was {}", key, schema::json_text(value),
                                  step, schema::json_text(kept.value(key, json()))));
  return notes;
}

/// The state that the checkpoint holds. If it is broken, the failure says from where else the run can
/// continue.
TrainingState state_of(const Checkpoint& checkpoint, Session& session, const Settings& settings,
                       const RunDirectory& directory) {
  try {
    return restored_state(session, settings, checkpoint);
  } catch (const Failure& failure) {
    if (failure.exit_code != Exit::bad_data && failure.exit_code != Exit::missing_input) throw;
    throw Failure(failure.exit_code,
                  fmt::format("{}; {}", failure.what(),
                              directory.has_checkpoint_before(checkpoint.step)
                                  ? fmt::format("without {} the run continues from the checkpoint before",
                                                checkpoint.path.string())
                                  : "it is of the run's only checkpoint"));
  }
}

int resume(const Image& image, const TrainRequest& request, Ranks& ranks) {
  if (!request.checkpoint.empty())
    throw Failure(Exit::usage, fmt::format("--checkpoint {}: a resumed run continues from its last "
                                           "checkpoint; --start begins another run from any",
                                           request.checkpoint));
  RunDirectory directory = directory_of(ranks, [&] { return RunDirectory::open(request.resume); });
  const std::optional<Checkpoint> checkpoint = latest_checkpoint(request.resume);
  const int64_t step = checkpoint ? checkpoint->step : 0;
  json config = read_json(request.resume / "config.json");
  Settings settings = settings_of_run(image, request.resume, config);
  const Settings before = settings;
  if (!request.learn.empty() && request.learn != settings.learn)
    throw Failure(Exit::usage, fmt::format("{} is a run of learn {}, not {}", request.resume.string(),
                                           settings.learn, request.learn));
  for (const auto& [key, text] : request.overrides)
    if (key == "start")
      throw Failure(Exit::usage,
                    fmt::format("--start {}: a resumed run begins from its own checkpoint", text));
  override_keys(settings, request.overrides);
  check(settings, image);
  fit_to_program(settings, image);
  refuse_to_go_back(request, settings, step);
  const MachineOfRun machine =
      machine_of_run(image, request, settings, config, config_file(request.resume), ranks);
  const PreparedImage prepared(
      image, find_statistics(image, learned_sources(settings),
                             checkpoint ? read_statistics(checkpoint->path) : data::KeptStatistics()));
  Session session = session_of_run(prepared.get(), machine);
  if (checkpoint) session.rows.keep_words(read_words(checkpoint->path, prepared.get()));
  session.ranks = &ranks;
  if (session.device && request.profile)
    throw Failure(Exit::bad_configuration,
                  "--profile: in this version only the processor's steps are traced");
  Site site(session, exchange_of(image, request.exchange, config.value("exchange", json()),
                                 config_file(request.resume)));
  TrainingState state =
      checkpoint ? state_of(*checkpoint, session, settings, directory) : started_state(session, settings);
  const double seconds = state.seconds;
  Trainer trainer(session, settings, std::move(state));
  TrainingRun run(session, settings, trainer, site, std::move(directory), request);
  if (checkpoint)
    run.continue_from(*checkpoint, seconds);
  else
    run.begin_anew();
  ranks.agree();
  require_equal_ranks(session, settings, trainer);
  ranks.settle();
  for (const std::string& note : machine.notes) run.note(note);
  for (const std::string& note : notes_on_other_steps(image, before, settings, step)) run.note(note);
  for (const std::string& note : notes_on_other_settings(before, settings, step)) run.note(note);
  if (!ranks.is_first()) return run.follow();
  config.update(to_json(settings));
  config.erase("threads");
  if (!ranks.is_several()) config["threads"] = session.machine.threads;
  config["backend"] = session.machine.library->name;
  config["device"] = machine.device;
  if (session.device) config["cudnn_benchmark"] = session.cudnn_benchmark;
  if (site.exchanges()) config["exchange"] = site.settings();
  if (!config["resumed"].is_array()) config["resumed"] = json::array();
  config["resumed"].push_back(step);
  run.directory().write("config.json", schema::json_text(config, 2) + "\n");
  for (const auto& [file, text] :
       {std::pair("model.vae", image.text), {"env.json", environment(session).dump(2) + "\n"}})
    if (!fs::exists(run.directory().path() / file)) run.directory().write(file, text);
  return run.follow();
}

/// The run that the launcher's earlier attempt at the same job began, if there is one: it is continued. Rank
/// 0 looks for it. If a machine joins a job of torchrun, that does not count as a restart. Then, and if a job
/// is launched again by hand, the run is known by --out and the name of the job.
fs::path run_of_earlier_attempt(const Image& image, const TrainRequest& request, Ranks& ranks) {
  const Launched& launched = ranks.launched();
  if (!request.resume.empty()) return {};
  if (launched.restarts == 0 && (request.out.empty() || !launched.job_has_own_name)) return {};
  std::string found;
  const auto is_of_this_job = [&](const fs::path& run) {
    if (!fs::exists(run / "config.json") || !fs::exists(run / "env.json")) return false;
    return read_json(run / "env.json").value("/ranks/job"_json_pointer, "") == launched.job;
  };
  if (ranks.is_first() && !request.out.empty() && is_of_this_job(request.out)) found = request.out.string();
  if (ranks.is_first() && request.out.empty()) {
    const std::string learn = request.learn.empty() ? image.learns.front().name : request.learn;
    for (int64_t n = 1;; ++n) {
      const fs::path run = fs::path("runs") / fmt::format("{}-{}-{}", image.file, learn, n);
      if (!fs::exists(run)) break;
      if (is_of_this_job(run)) found = run.string();
    }
  }
  return ranks.from_first(found);
}

int train_on(const Image& image, TrainRequest request, Ranks& ranks) {
  if (!ranks.is_first()) request.voice = Voice::quiet;
  if (const fs::path earlier = run_of_earlier_attempt(image, request, ranks); !earlier.empty()) {
    request.resume = earlier;
    request.checkpoint.clear();
    std::erase_if(request.overrides, [](const auto& entry) { return entry.first == "start"; });
  }
  return request.resume.empty() ? begin(image, request, ranks) : resume(image, request, ranks);
}

}  // namespace

int train_on_open(const Image& image, const TrainRequest& request, Ranks& ranks) {
  listen_for_stop();
  std::signal(SIGPIPE, SIG_IGN);  // if the reader of the output goes away, training continues
  ranks.unsettle();
  const int code = train_on(image, request, ranks);
  end_listening();
  return code;
}

int train(const Image& image, const TrainRequest& request) {
  // First of all: processes with threads cannot be forked.
  Ranks ranks(request.ranks, image.file + " train");
  return ranks.run([&] { return train_on_open(image, request, ranks); });
}

}  // namespace core
