#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <ctime>

#include "runtime/core/commands/commands.h"
#include "runtime/core/commands/learning_machine.h"
#include "runtime/core/commands/report.h"
#include "runtime/core/commands/trace.h"
#include "runtime/core/evaluation/likelihood.h"
#include "runtime/core/learning/trainer.h"
#include "runtime/core/sample_grid.h"
#include "runtime/data/byte_source.h"
#include "runtime/failure.h"

namespace core {
namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::steady_clock;

namespace {

// While it trains a run is evaluated on few rows; `evaluate` takes all.
constexpr int64_t evaluated_rows = 256, evaluated_samples = 16;

volatile std::sig_atomic_t stop_asked = 0;

/// The first Ctrl-C or SIGTERM asks for a checkpoint; the second ends the process as usual.
void listen_to_signals() {
  stop_asked = 0;
  struct sigaction action = {};
  action.sa_handler = [](int) { stop_asked = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

double seconds_since(steady_clock::time_point begin) {
  return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

std::string time_text() {
  char text[32];
  const std::time_t now = std::time(nullptr);
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  return text;
}

json environment(const Session& session) {
  json versions = {{"vaec", session.image.version},
                   {"abi", VAE_ABI_VERSION},
                   {"started", time_text()},
                   {"device", session.device ? session.device->name() : "cpu"},
                   {"cpu", session.image.cpu},
                   {"cpu_features", session.image.cpu_features},
                   {"backend", session.machine.heavy->name},
                   {"threads", session.machine.threads},
                   {"compiler", __VERSION__}};
  if (session.device || session.machine.heavy->name == std::string("torch"))
    versions["libtorch"] = torch_version();
  return versions;
}

class Run {
 public:
  Run(Session& session, const Settings& settings, Trainer& trainer, RunDirectory directory,
      const TrainRequest& request)
      : session_(session),
        settings_(settings),
        trainer_(trainer),
        directory_(std::move(directory)),
        request_(request) {}

  RunDirectory& directory() { return directory_; }

  /// Said when it begins.
  void note(const std::string& text) { notes_.push_back(text); }

  void restore(const Checkpoint& checkpoint) {
    try {
      seconds_before_ = trainer_.restore(checkpoint.path);
    } catch (const Failure& failure) {
      if (failure.exit_code != Exit::bad_data && failure.exit_code != Exit::missing_input) throw;
      throw Failure(failure.exit_code,
                    fmt::format("{}; {}", failure.what(),
                                directory_.has_checkpoint_before(checkpoint.step)
                                    ? fmt::format("without {} the run continues from the checkpoint before",
                                                  checkpoint.path.string())
                                    : "it is of the run's only checkpoint"));
    }
    last_checkpoint_ = checkpoint.path;
    directory_.truncate_metrics(trainer_.step());
  }

  int follow() {
    Progress progress(request_.voice, trainer_.step(), settings_.steps);
    progress.say(
        fmt::format("learn {}: steps {} to {}, {} thread{}, {}{}", settings_.learn, trainer_.step(),
                    settings_.steps, session_.machine.threads, session_.machine.threads == 1 ? "" : "s",
                    session_.device ? session_.device->name() + ", " : "", directory_.path().string()));
    for (const std::string& note : notes_) progress.say("note: " + note);
    for (const std::string& note : trainer_.notes()) progress.say("note: " + note);
    if (request_.profile) {
      trace_ = std::make_unique<Trace>();
      trace_file_ = fmt::format("trace-step-{}.json", trainer_.step());
      trainer_.tell(trace_.get());
    }
    try {
      const int code = loop(progress);
      end_trace();
      return code;
    } catch (const Failure& failure) {
      end_trace();
      throw Failure(failure.exit_code, fmt::format("{} ({})", failure.what(),
                                                   last_checkpoint_.empty() ? "there is no checkpoint yet"
                                                                            : "the last checkpoint is " +
                                                                                  last_checkpoint_.string()));
    }
  }

 private:
  int loop(Progress& progress) {
    started_ = line_begun_ = steady_clock::now();
    first_step_ = line_step_ = trainer_.step();
    if (trainer_.step() >= settings_.steps) checkpoint();  // of the beginning, so that it can be looked at
    while (trainer_.step() < settings_.steps) {
      traced("step", [&] { trainer_.do_step(); });
      const int64_t step = trainer_.step();
      const bool last = step == settings_.steps, stopping = stop_asked && !last;
      const bool state =
          last || stopping || due(step, "evaluate") || due(step, "sample") || due(step, "checkpoint");
      if (state || due(step, "log")) trainer_.fetch(state);
      if (last || due(step, "log") || due(step, "evaluate")) traced("log", [&] { log(progress); });
      if (last || due(step, "sample")) traced("sample", [&] { draw_samples(last); });
      for (const std::string& note : session_.rows.take_notes())
        progress.say("note: evaluation and pictures: " + note);
      if (last || due(step, "checkpoint")) traced("checkpoint", [&] { checkpoint(); });
      if (trace_ && trace_->full()) end_trace();
      progress.step(step);
      if (stopping) {
        checkpoint();
        directory_.write("report.html", report_page(directory_.path()));
        throw Failure(Exit::interrupted, fmt::format("stopped at step {}; train --resume {} continues", step,
                                                     directory_.path().string()));
      }
    }
    directory_.write("report.html", report_page(directory_.path()));
    progress.say(fmt::format("{} steps in {}: {}", trainer_.step() - first_step_, duration_text(seconds()),
                             directory_.path().string()));
    return 0;
  }

  /// Does it, and notes it where the run is traced, with the steps done before it.
  template <class Action>
  void traced(const char* what, const Action& action) {
    const int64_t step = trainer_.step();
    const steady_clock::time_point begin = steady_clock::now();
    action();
    if (trace_) trace_->add(what, step, begin, steady_clock::now());
  }

  /// Writes it; the run goes on without.
  void end_trace() {
    if (!trace_) return;
    trainer_.tell(nullptr);
    directory_.write(trace_file_, trace_->text());
    trace_.reset();
  }

  bool due(int64_t step, const char* what) const {
    const int64_t every = settings_.every.at(what);
    return every > 0 && step % every == 0;
  }

  double seconds() const { return seconds_before_ + seconds_since(started_); }

  void log(Progress& progress) {
    const double rate =
        static_cast<double>(trainer_.step() - line_step_) / std::max(1e-9, seconds_since(line_begun_));
    json line = trainer_.metrics(seconds(), rate);
    if (due(trainer_.step(), "evaluate")) evaluate(line, progress);
    line_step_ = trainer_.step();
    line_begun_ = steady_clock::now();
    directory_.append_metrics(line);
    progress.metrics(line);
  }

  /// What cannot be evaluated (no held-out file, no density) is said once and does not stop the training.
  void evaluate(json& line, Progress& progress) {
    if (!evaluates_) return;
    try {
      line["evaluate"] =
          measure_log_likelihoods(session_, ~settings_.seed, evaluated_samples, evaluated_rows);
    } catch (const Failure& failure) {
      evaluates_ = false;
      progress.say(fmt::format("note: no evaluation while training: {}", failure.what()));
    }
  }

  /// The pictures that a model without images has not got are left out quietly; 0 turns them off.
  void draw_samples(bool last) {
    if (settings_.every.at("sample") == 0) return;
    if (last && fs::exists(directory_.sample_path(trainer_.step()))) return;
    if (!grid_) grid_ = std::make_unique<SampleGrid>(session_);
    const std::optional<data::Picture> picture = grid_->draw(settings_.seed, trainer_.step());
    if (!picture) return;
    const fs::path path = directory_.sample_path(trainer_.step());
    data::write_png(path, *picture);
    const std::vector<uint8_t> png = data::read_file(path);
    directory_.add_event(image_event(wall_clock(), trainer_.step(), "samples", picture->height,
                                     picture->width, picture->channels, {png.begin(), png.end()}));
  }

  void checkpoint() {
    directory_.checkpoint(trainer_.step(), [&](const fs::path& folder) { trainer_.save(folder, seconds()); });
    last_checkpoint_ = directory_.path() / "checkpoints" / fmt::format("step-{}", trainer_.step());
  }

  Session& session_;
  const Settings& settings_;
  Trainer& trainer_;
  RunDirectory directory_;
  const TrainRequest& request_;
  std::unique_ptr<SampleGrid> grid_;
  std::unique_ptr<Trace> trace_;  // until it is full
  std::string trace_file_;
  fs::path last_checkpoint_;
  std::vector<std::string> notes_;
  bool evaluates_ = true;
  double seconds_before_ = 0;
  steady_clock::time_point started_, line_begun_;
  int64_t first_step_ = 0, line_step_ = 0;
};

std::string device_name(const MachineRequest& machine) {
  const int gpu = gpu_of(machine.device);
  return gpu < 0 ? "cpu" : fmt::format("cuda:{}", gpu);
}

int begin(const Image& image, const TrainRequest& request) {
  Settings settings = settings_of(find_learn(image, request.learn), image);
  for (const auto& [key, text] : request.overrides) override_key(settings, key, text);
  check(settings, image);
  const MachineRequest machine = learning_machine(image, request, settings);
  Session session(image, machine);
  if (session.device && request.profile)
    throw Failure(Exit::bad_configuration,
                  "--profile: in this version only the processor's steps are traced");
  // The trainer first: where the data are missing no run directory is made.
  Trainer trainer(session, settings);
  Run run(session, settings, trainer, RunDirectory::create(request.out, image.file + "-" + settings.learn),
          request);
  json config = to_json(settings);
  config.update({{"program", image.file},
                 {"params", image.params},
                 {"threads", session.machine.threads},
                 {"device", device_name(machine)},
                 {"backend", session.machine.heavy->name}});
  if (session.device) config["cudnn_benchmark"] = session.cudnn_benchmark;
  run.directory().write("config.json", config.dump(2) + "\n");
  run.directory().write("model.vae", image.text);
  run.directory().write("env.json", environment(session).dump(2) + "\n");
  return run.follow();
}

/// The settings that a run was begun with, where they are settings of this model.
Settings settings_of_run(const Image& image, const fs::path& run, const json& config) {
  try {
    const Settings settings = settings_from(config);
    find_learn(image, settings.learn);
    check(settings, image);
    return settings;
  } catch (const Failure& failure) {
    throw Failure(Exit::bad_configuration, fmt::format("{} is a run of another model, or of another version "
                                                       "of its file: {}",
                                                       run.string(), failure.what()));
  } catch (const json::exception& failure) {
    throw Failure(Exit::bad_data, fmt::format("{} is not what a run writes: {}",
                                              (run / "config.json").string(), failure.what()));
  }
}

/// Sums depend on the device, the backend and the number of threads in their last bits: unless told, a run
/// keeps its own, but for a GPU where there is none now.
struct MachineOfRun {
  MachineRequest machine;
  std::string device;     // what the run keeps as its own
  bool recalled = false;  // the machine's GPU is one that the run names, not the user
  std::string note;       // what the user does not expect
};

MachineOfRun machine_of_run(const Image& image, const TrainRequest& request, const Settings& settings,
                            const json& config) {
  const std::string own = config.value("device", "cpu");
  if (!is_device(own) || own == "auto")
    throw Failure(Exit::bad_data, fmt::format("{}: \"device\": \"{}\" is not what a run writes",
                                              (request.resume / "config.json").string(), own));
  MachineRequest asked = request;
  const bool keeps = request.device == "auto";
  if (keeps && own == "cpu") asked.device = own;
  MachineOfRun of;
  of.machine = learning_machine(image, asked, settings);
  const bool on_gpu = gpu_of(of.machine.device) >= 0;
  of.device = keeps ? own : device_name(of.machine);
  if (keeps && gpu_of(own) >= 0) {
    if (on_gpu) {
      of.machine.device = own;
      of.recalled = true;
    } else {
      of.note = fmt::format("the run is of {}, which cannot be used here: it goes on on the processor", own);
    }
  }
  if (on_gpu && config.value("cudnn_benchmark", false)) of.machine.cudnn_benchmark = true;
  if (of.machine.threads == 0) of.machine.threads = config.value("threads", 0);
  if (of.machine.backend.empty()) of.machine.backend = config.value("backend", "");
  return of;
}

Session session_of_run(const Image& image, const MachineOfRun& of) {
  try {
    return {image, of.machine};
  } catch (const Failure& failure) {
    if (!of.recalled) throw;
    throw Failure(failure.exit_code, fmt::format("{}; the run was trained on {}: --device says otherwise",
                                                 failure.what(), of.device));
  }
}

int resume(const Image& image, const TrainRequest& request) {
  RunDirectory directory = RunDirectory::open(request.resume);
  const Checkpoint checkpoint = require_checkpoint(request.resume);
  json config = read_json(request.resume / "config.json");
  Settings settings = settings_of_run(image, request.resume, config);
  if (!request.learn.empty() && request.learn != settings.learn)
    throw Failure(Exit::usage, fmt::format("{} is a run of learn {}, not {}", request.resume.string(),
                                           settings.learn, request.learn));
  for (const auto& [key, text] : request.overrides) override_key(settings, key, text);
  check(settings, image);
  const MachineOfRun of = machine_of_run(image, request, settings, config);
  Session session = session_of_run(image, of);
  if (session.device && request.profile)
    throw Failure(Exit::bad_configuration,
                  "--profile: in this version only the processor's steps are traced");
  Trainer trainer(session, settings);
  Run run(session, settings, trainer, std::move(directory), request);
  run.restore(checkpoint);
  if (!of.note.empty()) run.note(of.note);
  config.update(to_json(settings));
  config["threads"] = session.machine.threads;
  config["backend"] = session.machine.heavy->name;
  config["device"] = of.device;
  if (session.device) config["cudnn_benchmark"] = session.cudnn_benchmark;
  config["resumed"].push_back(checkpoint.step);
  run.directory().write("config.json", config.dump(2) + "\n");
  return run.follow();
}

}  // namespace

int train(const Image& image, const TrainRequest& request) {
  listen_to_signals();
  return request.resume.empty() ? begin(image, request) : resume(image, request);
}

}  // namespace core
