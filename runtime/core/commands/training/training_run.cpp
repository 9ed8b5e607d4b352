#include "runtime/core/commands/training/training_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "runtime/core/commands/reports/report.h"
#include "runtime/core/commands/training/stop_signals.h"
#include "runtime/core/ranks/ranks.h"
#include "runtime/core/run/elapsed.h"
#include "runtime/data/arrays/byte_source.h"
#include "runtime/schema/json_fields.h"
#include "runtime/shared/counted.h"
#include "runtime/shared/failure.h"

namespace core {
namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::steady_clock;

namespace {

// During training, a run is evaluated on few rows; `evaluate` takes all rows.
constexpr int64_t evaluated_rows = 256, evaluated_samples = 16;
constexpr std::chrono::seconds least_between_pages(2);

/// The metrics by which the run is evaluated, including the metric of `stop`.
std::vector<std::string> metrics_of(const Settings& settings) {
  std::vector<std::string> metrics = settings.evaluate;
  const std::string& stop = settings.stop.metric;
  if (!stop.empty() && std::find(metrics.begin(), metrics.end(), stop) == metrics.end())
    metrics.push_back(stop);
  return metrics;
}

}  // namespace

TrainingRun::TrainingRun(Session& session, const Settings& settings, Trainer& trainer, Site& site,
                         RunDirectory directory, const TrainRequest& request)
    : session_(session),
      settings_(settings),
      trainer_(trainer),
      site_(site),
      directory_(std::move(directory)),
      request_(request),
      evaluated_(measured_together(metrics_of(settings))) {
  if (!settings.stop.metric.empty()) early_.emplace(settings.stop);
}

/// Whether a result has the metric. There may be none if the run was told to stop early only when it was
/// resumed.
static bool has(const json& results, const std::string& metric) {
  return std::any_of(results.begin(), results.end(),
                     [&](const json& result) { return result.value("metric", "") == metric; });
}

void TrainingRun::continue_from(const Checkpoint& checkpoint, double seconds) {
  seconds_before_ = seconds;
  last_checkpoint_ = checkpoint.path;
  site_.restore(checkpoint.path, {[this](const std::string& text) { note(text); }, [] { return true; }});
  if (writes()) directory_.cut_after(trainer_.step());
  // If the run is told to stop early only now, it has no best checkpoint yet. Earlier results then do not
  // count.
  if (!early_ || !fs::exists(directory_.path() / "checkpoints" / "best")) return;
  for (const json& line : read_metrics(directory_.path()))
    if (line.contains("evaluate") && has(line["evaluate"], settings_.stop.metric))
      early_->observe(line["evaluate"], line.at("step"));
}

void TrainingRun::begin_anew() {
  note("it has no checkpoint yet: it begins at step 0");
  if (writes()) directory_.cut_after(0);
}

int TrainingRun::follow() {
  Progress progress(request_.voice, trainer_.step(), settings_.steps);
  const std::string ranks =
      session_.ranks->is_several()
          ? fmt::format("{} ranks ({}, {}) of ", session_.ranks->size(), session_.ranks->launched().launcher,
                        session_.ranks->transport() + std::string(session_.device ? ", NCCL" : ""))
          : "";
  progress.say(fmt::format("learn {}: steps {} to {}, {}{}, {}{}", settings_.learn, trainer_.step(),
                           settings_.steps, ranks, counted(session_.machine.threads, "thread"),
                           session_.device ? session_.device->name() + ", " : "",
                           directory_.path().string()));
  for (const std::string& note : notes_) progress.say("note: " + note);
  for (const std::string& note : trainer_.notes()) progress.say("note: " + note);
  if (request_.profile && writes()) {
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
    const std::string cause =
        fmt::format("{} ({})", failure.what(),
                    last_checkpoint_.empty() ? "there is no checkpoint yet"
                                             : "the last checkpoint is " + last_checkpoint_.string());
    if (const auto* shared = dynamic_cast<const SharedFailure*>(&failure))
      throw SharedFailure(failure.exit_code, cause, shared->is_reported_here);
    throw Failure(failure.exit_code, cause);
  }
}

int TrainingRun::loop(Progress& progress) {
  started_ = line_begun_ = steady_clock::now();
  first_step_ = line_step_ = trainer_.step();
  site_.begin(settings_, directory_.path(), first_step_);
  note_what_is_over();  // a resumed run may have been stopped
  trainer_.set_stop(stop_is_asked);
  if (trainer_.step() >= settings_.steps) checkpoint();  // of the initial state, so that it can be looked at
  while (trainer_.step() < settings_.steps && !is_over()) {
    if (!exchange(progress)) stop();
    traced("step", [&] { trainer_.do_step(); });
    const int64_t step = trainer_.step();
    bool last = step == settings_.steps;
    const bool stopping =
        (session_.ranks->is_several() ? trainer_.stop_is_agreed() : stop_is_asked()) && !last;
    const bool state =
        last || stopping || due(step, "evaluate") || due(step, "sample") || due(step, "checkpoint");
    if (state || due(step, "log")) trainer_.fetch(state);
    if (state) trainer_.require_finite();
    if (last || due(step, "log") || due(step, "evaluate")) traced("log", [&] { log(progress); });
    last = last || is_over();
    if (last || due(step, "sample"))
      session_.ranks->first_alone([&] { traced("sample", [&] { draw_samples(); }); });
    for (const std::string& note : session_.rows.take_notes())
      progress.say("note: evaluation and pictures: " + note);
    if (last || due(step, "checkpoint")) traced("checkpoint", [&] { checkpoint(); });
    if (writes() && !last && (due(step, "log") || due(step, "evaluate") || due(step, "sample"))) show();
    if (trace_ && trace_->full()) end_trace();
    progress.step(step);
    if (stopping) stop();
  }
  site_.end(trainer_);
  if (writes()) directory_.write("report.html", report_page(directory_.path()));
  progress.leave_metrics();
  if (early_) progress.say((is_over() ? "stopped early: " : "") + early_->text());
  progress.say(fmt::format("{} steps in {}: {}", trainer_.step() - first_step_, duration_text(seconds()),
                           directory_.path().string()));
  return 0;
}

/// Executes the action. If the run is traced, adds the action to the trace, with the number of steps done
/// before it.
template <class Action>
void TrainingRun::traced(const char* what, const Action& action) {
  const int64_t step = trainer_.step();
  const steady_clock::time_point begin = steady_clock::now();
  action();
  if (trace_) trace_->add(what, step, begin, steady_clock::now());
}

/// Writes the trace. The run goes on without it.
void TrainingRun::end_trace() {
  if (!trace_) return;
  trainer_.tell(nullptr);
  directory_.write(trace_file_, trace_->text());
  trace_.reset();
}

bool TrainingRun::due(int64_t step, const char* what) const {
  const int64_t every = settings_.every.at(what);
  return every > 0 && step % every == 0;
}

double TrainingRun::seconds() const { return seconds_before_ + seconds_since(started_); }

/// Writes the page during training. Pauses between pages keep this below a twentieth of the time.
void TrainingRun::show() {
  const steady_clock::time_point begin = steady_clock::now();
  if (begin < next_page_) return;
  traced("report", [&] { directory_.write("report.html", report_page(directory_.path(), true)); });
  const steady_clock::time_point end = steady_clock::now();
  next_page_ = end + std::max<steady_clock::duration>(least_between_pages, 20 * (end - begin));
}

void TrainingRun::log(Progress& progress) {
  const double rate =
      static_cast<double>(trainer_.step() - line_step_) / std::max(1e-9, seconds_since(line_begun_));
  trainer_.require_same_parameters();
  trainer_.collect();
  json line = trainer_.metrics(seconds(), rate);
  line_step_ = trainer_.step();
  line_begun_ = steady_clock::now();
  const bool evaluates = due(trainer_.step(), "evaluate");
  if (evaluates)
    session_.ranks->first_alone([&] { write(line, progress); });
  else if (writes())
    write(line, progress);
  if (evaluates) note_what_is_over();
}

/// Evaluates the run, if that is due, and writes the line.
void TrainingRun::write(json& line, Progress& progress) {
  if (due(trainer_.step(), "evaluate")) evaluate(line, progress);
  if (json exchanged = site_.record(trainer_.step()); !exchanged.is_null()) line["exchange"] = exchanged;
  line_begun_ = steady_clock::now();
  directory_.append_metrics(line);
  progress.metrics(line);
  if (early_ && line.contains("evaluate") && early_->observe(line["evaluate"], trainer_.step()))
    directory_.best_checkpoint([&](const fs::path& folder) { save(folder); });
}

/// Rank 0 alone evaluates, so it alone knows.
void TrainingRun::note_what_is_over() {
  if (early_) is_over_ = session_.ranks->from_first(early_->is_over());
}

/// A metric that cannot be evaluated (no held-out file, no density) is reported once and then left out. It
/// stops the training only if `stop` needs it.
void TrainingRun::evaluate(json& line, Progress& progress) {
  EvaluateRequest request;
  request.seed = ~settings_.seed;
  request.samples = evaluated_samples;
  request.rows = evaluated_rows;
  json results = json::array();
  std::erase_if(evaluated_, [&](const std::vector<std::string>& metrics) {
    request.metrics = metrics;
    try {
      trainer_.with_average([&] {
        for (json& result : measure_metrics(session_, request)) results.push_back(std::move(result));
      });
      return false;
    } catch (const Failure& failure) {
      if (early_ && std::find(metrics.begin(), metrics.end(), settings_.stop.metric) != metrics.end())
        throw Failure(failure.exit_code, fmt::format("stop = early({}, {}): {}", settings_.stop.metric,
                                                     settings_.stop.patience, failure.what()));
      progress.say(fmt::format("note: no evaluation of {} while training: {}", fmt::join(metrics, ", "),
                               failure.what()));
      return true;
    }
  });
  if (results.empty()) return;
  directory_.write("evaluation.json",
                   schema::json_text({{"step", trainer_.step()}, {"results", results}}) + "\n");
  for (json& result : results) {
    result.erase("confusion");
    result.erase("words");
  }
  line["evaluate"] = std::move(results);
}

/// Draws a picture of images, and numbers for other variables. 0 turns both off.
void TrainingRun::draw_samples() {
  if (settings_.every.at("sample") == 0) return;
  if (!figures_) figures_ = std::make_unique<SampleFigures>(session_, learned_sources(settings_));
  std::optional<json> figures;
  trainer_.with_average([&] { figures = figures_->draw(settings_.seed, trainer_.step()); });
  if (figures)
    directory_.write(fmt::format("samples/step-{}.json", trainer_.step()),
                     schema::json_text(*figures) + "\n");
  if (!grid_) grid_ = std::make_unique<SampleGrid>(session_, learned_sources(settings_));
  std::optional<data::Picture> picture;
  trainer_.with_average([&] { picture = grid_->draw(settings_.seed, trainer_.step()); });
  if (!picture) return;
  const fs::path path = directory_.sample_path(trainer_.step());
  data::write_png(path, *picture);
  const std::vector<uint8_t> png = data::read_file(path);
  directory_.add_event(image_event(wall_clock(), trainer_.step(), "samples", picture->height, picture->width,
                                   picture->channels, {png.begin(), png.end()}));
}

void TrainingRun::save(const fs::path& folder) const {
  trainer_.save(folder, seconds());
  site_.save(folder);
}

/// False if the user stops the run while it waits for a peer. If the exchange fails, a checkpoint is written
/// first, so that the run loses no step.
bool TrainingRun::exchange(Progress& progress) {
  if (!site_.exchanges()) return true;
  const Peers::Listener listener = {[&](const std::string& text) { progress.say("note: " + text); },
                                    [] { return !stop_is_asked(); }};
  try {
    return site_.exchange(trainer_, listener);
  } catch (const Failure& failure) {
    if (failure.exit_code == Exit::diagnostics) throw;  // the run diverged: its state is not worth keeping
    trainer_.fetch(true);
    checkpoint();
    throw;
  }
}

void TrainingRun::stop() {
  trainer_.fetch(true);
  checkpoint();
  if (writes()) directory_.write("report.html", report_page(directory_.path()));
  throw SharedFailure(Exit::interrupted,
                      fmt::format("stopped at step {}; train --resume {} continues", trainer_.step(),
                                  directory_.path().string()),
                      writes());
}

/// All ranks have the same state; rank 0 writes it.
void TrainingRun::checkpoint() {
  trainer_.collect();
  session_.ranks->first_alone([&] {
    directory_.checkpoint(trainer_.step(), [&](const fs::path& folder) { save(folder); });
    if (settings_.keep > 0) directory_.keep_checkpoints(settings_.keep);
  });
  last_checkpoint_ = directory_.path() / "checkpoints" / fmt::format("step-{}", trainer_.step());
}

}  // namespace core
