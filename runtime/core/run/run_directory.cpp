#include "runtime/core/run/run_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>

#include "runtime/core/run/whole_folder.h"
#include "runtime/data/arrays/byte_source.h"
#include "runtime/schema/json_fields.h"
#include "runtime/shared/failure.h"

namespace core {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// Makes the folder. True if this call made it.
bool make_new_folder(const fs::path& path) {
  if (!path.parent_path().empty()) make_folder(path.parent_path());
  std::error_code error;
  const bool made = fs::create_directory(path, error);
  if (error && error != std::errc::file_exists) cannot_write(path, error.message());
  return made;
}

/// Whether the folder holds nothing but the files of a run that ended before its first checkpoint.
bool holds_no_checkpoint(const fs::path& folder, std::error_code& error) {
  static const std::vector<std::string> files = {"config.json", "env.json", "model.vae", "metrics.jsonl",
                                                 "report.html"};
  const bool is_run = fs::exists(folder / "config.json", error);
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    const bool file = std::ranges::count(files, name) > 0 || name.starts_with("events.out.tfevents.") ||
                      name.starts_with("trace-step-");
    const bool empty = (name == "samples" && fs::is_empty(entry.path(), error)) ||
                       (name == "checkpoints" &&
                        std::ranges::all_of(fs::directory_iterator(entry.path(), error),
                                            [](const fs::directory_entry& part) {
                                              return part.path().filename().string().ends_with(".partial");
                                            }));
    if (!empty && !(is_run && (file || name == "samples")) && !name.ends_with(".part")) return false;
  }
  return true;
}

/// The step in `step-N`.
std::optional<int64_t> step_of(const std::string& name) {
  if (name.rfind("step-", 0) != 0 || name.size() == 5 || name.size() > 20) return std::nullopt;
  int64_t step = 0;
  for (char c : name.substr(5)) {
    if (c < '0' || c > '9') return std::nullopt;
    step = step * 10 + (c - '0');
  }
  return step;
}

/// The steps of a run's checkpoints, the latest first.
std::vector<int64_t> steps_of_checkpoints(const fs::path& run) {
  std::vector<int64_t> steps;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(run / "checkpoints", error))
    if (const auto step = step_of(entry.path().filename().string())) steps.push_back(*step);
  std::sort(steps.rbegin(), steps.rend());
  return steps;
}

}  // namespace

RunDirectory::RunDirectory(fs::path path) : path_(std::move(path)), events_(path_) {}

RunDirectory::RunDirectory(RunDirectory&& other) noexcept
    : path_(std::move(other.path_)),
      events_(std::move(other.events_)),
      lock_(std::exchange(other.lock_, -1)) {}

RunDirectory::~RunDirectory() {
  if (lock_ >= 0) close(lock_);
}

RunDirectory RunDirectory::create(const fs::path& out, const std::string& name) {
  fs::path path = out;
  if (out.empty()) {
    int64_t n = 1;
    while (!make_new_folder(path = fs::path("runs") / fmt::format("{}-{}", name, n))) ++n;
  } else if (!make_new_folder(out)) {
    std::error_code error;
    const bool empty = fs::is_directory(out, error) && holds_no_checkpoint(out, error);
    if (error) cannot_write(out, error.message());
    if (!fs::is_directory(out)) cannot_write(out, "it is a file; a run needs a folder");
    if (!empty) cannot_write(out, "it is there already; --resume continues a run");
  }
  RunDirectory directory(path);
  directory.lock();
  std::error_code ignored;
  // Another process may have trained there in the meantime.
  if (!holds_no_checkpoint(path, ignored))
    cannot_write(path, "it is there already; --resume continues a run");
  for (const fs::directory_entry& entry : fs::directory_iterator(path, ignored))
    fs::remove_all(entry.path(), ignored);
  directory.make_folders();
  return directory;
}

RunDirectory RunDirectory::open(const fs::path& path) {
  if (!fs::exists(path / "config.json"))
    throw Failure(Exit::missing_input,
                  fmt::format("{} is no run directory: it has no config.json", path.string()));
  RunDirectory directory(path);
  directory.lock();
  directory.make_folders();
  return directory;
}

void RunDirectory::make_folders() const {
  make_folder(path_ / "samples");
  make_folder(path_ / "checkpoints");
}

void RunDirectory::lock() {
  lock_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ < 0) cannot_write(path_, std::strerror(errno));
  // If the file system has no locks, training is still allowed.
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    cannot_write(path_, "another process is training there");
}

void RunDirectory::write(const std::string& file, const std::string& text) const {
  data::write_file(path_ / file, std::vector<uint8_t>(text.begin(), text.end()));
}

void RunDirectory::append_metrics(const json& line) {
  const fs::path path = path_ / "metrics.jsonl";
  errno = 0;
  std::ofstream file(path, std::ios::app);
  file << line.dump() << '\n';
  file.close();
  if (!file) cannot_write(path, errno ? std::strerror(errno) : "the line was not written");
  std::vector<std::pair<std::string, double>> scalars;
  for (const char* group : {"utility", "terms"})
    for (const auto& [name, value] : line.at(group).items())
      scalars.emplace_back(fmt::format("{}/{}", group, name), value.get<double>());
  for (const json& result : line.value("evaluate", json::array()))
    scalars.emplace_back(
        fmt::format("{}/{}", result.at("metric").get<std::string>(), result.at("source").get<std::string>()),
        result.at("mean").get<double>());
  for (const char* name : {"objective", "bound", "elbo", "reconstruction", "kl"})
    if (line.contains(name)) scalars.emplace_back(fmt::format("{}/training", name), line.at(name));
  scalars.emplace_back("steps_per_second", line.at("steps_per_second").get<double>());
  events_.add(scalar_event(wall_clock(), line.at("step"), scalars));
}

void RunDirectory::cut_after(int64_t step) const {
  std::error_code ignored;
  std::vector<fs::path> stale;
  // If the process was killed between two renames, the best checkpoint still has its temporary name.
  const fs::path best = path_ / "checkpoints" / "best";
  if (!fs::exists(best)) fs::rename(path_ / "checkpoints" / ".best.before", best, ignored);
  for (const fs::directory_entry& entry : fs::directory_iterator(path_ / "samples", ignored))
    if ((entry.path().extension() == ".png" || entry.path().extension() == ".json") &&
        step_of(entry.path().stem().string()).value_or(0) > step)
      stale.push_back(entry.path());
  for (const fs::directory_entry& entry : fs::directory_iterator(path_ / "checkpoints", ignored))
    if (entry.path().filename().string().starts_with(".")) stale.push_back(entry.path());
  if (const fs::path evaluation = path_ / "evaluation.json";
      fs::exists(evaluation) && read_json(evaluation).value("step", int64_t{0}) > step)
    stale.push_back(evaluation);
  for (const fs::path& path : stale) fs::remove_all(path, ignored);
  cut_metrics(step);
  cut_events(path_, step);
}

void RunDirectory::cut_metrics(int64_t step) const {
  if (!fs::exists(path_ / "metrics.jsonl")) return;
  std::string kept;
  for (const json& line : read_metrics(path_))
    if (line["step"].get<int64_t>() <= step) kept += line.dump() + '\n';
  write("metrics.jsonl", kept);
}

/// Where a checkpoint is written until it is complete.
static fs::path aside_of(const fs::path& finished) {
  return finished.parent_path() / fmt::format(".{}.partial", finished.filename().string());
}

void RunDirectory::checkpoint(int64_t step, const std::function<void(const fs::path&)>& write) const {
  const fs::path finished = path_ / "checkpoints" / fmt::format("step-{}", step);
  if (fs::exists(finished)) return;
  write_aside(aside_of(finished), write);
  rename_to(aside_of(finished), finished);
}

void RunDirectory::best_checkpoint(const std::function<void(const fs::path&)>& write) const {
  const fs::path best = path_ / "checkpoints" / "best", before = path_ / "checkpoints" / ".best.before";
  write_aside(aside_of(best), write);
  std::error_code error;
  fs::remove_all(before, error);
  if (fs::exists(best)) rename_to(best, before);
  rename_to(aside_of(best), best);
  fs::remove_all(before, error);
}

void RunDirectory::keep_checkpoints(int64_t count) const {
  std::vector<int64_t> steps = steps_of_checkpoints(path_);
  for (int64_t i = count; i < static_cast<int64_t>(steps.size()); ++i) {
    const std::string name = fmt::format("step-{}", steps[static_cast<size_t>(i)]);
    const fs::path aside = aside_of(path_ / "checkpoints" / name);
    rename_to(path_ / "checkpoints" / name, aside);
    std::error_code ignored;
    fs::remove_all(aside, ignored);
  }
}

fs::path RunDirectory::sample_path(int64_t step) const {
  return path_ / "samples" / fmt::format("step-{}.png", step);
}

/// The latest checkpoint before step `limit`.
static std::optional<Checkpoint> latest_before(const fs::path& run, int64_t limit) {
  std::optional<Checkpoint> latest;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(run / "checkpoints", error)) {
    const std::optional<int64_t> step = step_of(entry.path().filename().string());
    if (step && *step < limit && (!latest || *step > latest->step)) latest = Checkpoint{*step, entry.path()};
  }
  return latest;
}

bool RunDirectory::has_checkpoint_before(int64_t step) const {
  return latest_before(path_, step).has_value();
}

std::optional<Checkpoint> latest_checkpoint(const fs::path& run) {
  return latest_before(run, std::numeric_limits<int64_t>::max());
}

/// The checkpoint in this folder. Its step is read from its state.
static Checkpoint checkpoint_in(const fs::path& path) {
  const fs::path state = path / "state.json";
  const json text = read_json(state);
  return {schema::JsonFields(text, state.string()).whole("step", bounds::steps), path};
}

static Checkpoint best_checkpoint_of(const fs::path& run) {
  const fs::path path = run / "checkpoints" / "best";
  if (!fs::exists(path / "state.json"))
    throw Failure(
        Exit::missing_input,
        fmt::format("{} has no checkpoint `best`: a learn block with `stop = early(METRIC, patience)` "
                    "keeps one",
                    run.string()));
  return checkpoint_in(path);
}

/// Whether the folder is one of a run's checkpoints, `RUN/checkpoints/best`.
static bool is_checkpoint(const fs::path& folder) {
  const fs::path path = fs::absolute(folder / "").lexically_normal().parent_path();
  const fs::path checkpoints = path.parent_path();
  return checkpoints.filename() == "checkpoints" && fs::exists(path / "state.json") &&
         fs::exists(checkpoints.parent_path() / "config.json");
}

Checkpoint require_checkpoint(const fs::path& run, const std::string& which) {
  if (is_checkpoint(run)) {
    if (which.empty()) return checkpoint_in(run);
    throw Failure(Exit::usage, fmt::format("--checkpoint {}: {} is a checkpoint already; name its run", which,
                                           run.string()));
  }
  if (!fs::exists(run / "config.json"))
    throw Failure(Exit::missing_input,
                  fmt::format("{} is no run directory: it has no config.json", run.string()));
  const std::optional<Checkpoint> found = latest_checkpoint(run);
  if (which == "best") return best_checkpoint_of(run);
  if (!found) throw Failure(Exit::missing_input, fmt::format("{} holds no checkpoint", run.string()));
  if (which.empty() || which == "last") return *found;
  const std::optional<int64_t> step = step_of("step-" + which);
  if (!step)
    throw Failure(Exit::usage, fmt::format("--checkpoint {}: last, best or a step is needed", which));
  const std::vector<int64_t> steps = steps_of_checkpoints(run);
  if (std::find(steps.begin(), steps.end(), *step) == steps.end())
    throw Failure(Exit::missing_input,
                  fmt::format("{} holds no checkpoint of step {}; it holds those of {}", run.string(), *step,
                              fmt::join(steps.rbegin(), steps.rend(), ", ")));
  return {*step, run / "checkpoints" / fmt::format("step-{}", *step)};
}

constexpr int deepest = 64;

/// Parses JSON. The value is `discarded` if the text is not JSON, or if it is nested too deeply (`too_deep`).
/// Nothing that a run holds nests so deeply, and values are printed, copied and compared by recursion.
static json parse_bounded(const std::string& text, bool& too_deep) {
  too_deep = false;
  const auto look = [&](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > deepest;
    return !too_deep;
  };
  json value = json::parse(text, look, false);
  if (too_deep) value = json(json::value_t::discarded);
  return value;
}

std::vector<json> read_metrics(const fs::path& run) {
  std::vector<json> record;
  if (!fs::exists(run / "metrics.jsonl")) return record;
  std::istringstream lines(read_text(run / "metrics.jsonl"));
  const auto is_whole = [](const json& line) {
    if (!line.is_object() || !line.value("step", json()).is_number_unsigned()) return false;
    const json utility = line.value("utility", json());
    return utility.is_object() &&
           std::all_of(utility.begin(), utility.end(), [](const json& value) { return value.is_number(); });
  };
  bool too_deep = false;
  for (std::string text; std::getline(lines, text);) {
    json line = parse_bounded(text, too_deep);
    if (is_whole(line)) record.push_back(std::move(line));
  }
  return record;
}

std::string read_text(const fs::path& path) {
  const std::vector<uint8_t> bytes = data::read_file(path);
  return {bytes.begin(), bytes.end()};
}

json read_json(const fs::path& path) {
  bool too_deep = false;
  json parsed = parse_bounded(read_text(path), too_deep);
  if (too_deep)
    throw Failure(Exit::bad_data, fmt::format("{} nests deeper than {} brackets", path.string(), deepest));
  if (parsed.is_discarded()) throw Failure(Exit::bad_data, fmt::format("{} is not JSON", path.string()));
  return parsed;
}

}  // namespace core
