#include "compiler/sweep/sweep_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "compiler/files.h"
#include "compiler/lower/objects/call.h"
#include "runtime/schema/metric_flags.h"
#include "runtime/schema/training_flags.h"
#include "runtime/schema/training_metrics.h"
#include "runtime/shared/content_hash.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/private_folder.h"

namespace vaec {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr int interrupted = static_cast<int>(Exit::interrupted),
              not_admitted = static_cast<int>(Exit::bad_configuration);

std::vector<std::string> words_of(const std::vector<Setting>& flags) {
  std::vector<std::string> words;
  for (const auto& [name, value] : flags) words.push_back(fmt::format("--{}={}", name, value));
  return words;
}

void append(std::vector<std::string>& words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
}

/// The flags of `train`. For a program that was built with these keys, a compiled-in key gets the value
/// `as_built`.
std::vector<Setting> told_as_built(std::vector<Setting> flags) {
  for (auto& [name, value] : flags)
    if (const LearnKey* key = find_learn_key(name); key && key->kind == LearnKey::Kind::built)
      value = as_built;
  return flags;
}

/// The environment variables that replace flags of `train`.
json environment() {
  json found = json::object();
  for (const TrainingFlag& flag : training_flags()) {
    const std::string name = environment_name(flag.key);
    if (const char* value = std::getenv(name.c_str())) found[name] = value;
  }
  return found;
}

/// Not an object if the file does not exist or was not written completely.
json read_record(const fs::path& path) { return json::parse(text_of(path), nullptr, false); }

}  // namespace

std::string dumped(const json& value, int indent) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

std::string text_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

FailedCommand failed_command(const Ended& ended, const fs::path& log) {
  if (ended.signal != 0)
    return {128 + ended.signal,
            fmt::format("ended by signal {} ({})", ended.signal, strsignal(ended.signal))};
  std::istringstream lines(text_of(log));
  std::string cause, first_error;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) cause = line;
    if (first_error.empty() && line.starts_with("error")) first_error = line;
  }
  if (!first_error.empty()) cause = first_error;
  return {ended.code, cause.empty() ? fmt::format("exit code {}", ended.code) : cause};
}

json to_json(const FailedCommand& failure) { return {{"code", failure.code}, {"cause", failure.cause}}; }

std::vector<std::string> learns_of(const fs::path& executable) {
  const PrivateFolder folder;
  const fs::path program = fs::absolute(executable);
  const lower::Outcome outcome = lower::call({program, "info", "--json"}, folder.path() / "info");
  const json info = json::parse(outcome.said, nullptr, false);
  if (!outcome.started || outcome.status != 0 || !info.is_object())
    throw Failure(Exit::bad_configuration, fmt::format("{} info: {}", executable.string(), outcome.said));
  std::vector<std::string> names;
  for (const json& learn : info.at("learns")) names.push_back(learn.at("name"));
  return names;
}

SweepRun::SweepRun(const fs::path& folder, const fs::path& executable, const std::string& learn,
                   const std::vector<Setting>& flags, uint64_t seed, Measures measures)
    : executable_(fs::absolute(executable)),
      learn_(learn),
      flags_(flags),
      seed_(seed),
      measures_(std::move(measures)) {
  const std::string varied = flags.empty() ? "" : "-" + file_name(flags);
  folder_ = folder / fmt::format("{}{}-seed-{}", learn, varied, seed);
  if (measures_.metrics.empty())
    for (const std::string& metric : usual_metrics) groups_.push_back({metric});
  else
    groups_ = {measures_.metrics};
}

void SweepRun::find_earlier(const std::string& text) {
  identity_ = {{"program", fmt::format("{:016x}", content_hash(text))}, {"environment", environment()}};
  const json record = read_record(beside(".json"));
  if (!record.is_object()) return;
  if (record.value("identity", json()) != identity_)
    throw Failure(Exit::bad_configuration,
                  fmt::format("{} was begun with another text of the program, or other variables VAEC_...: "
                              "choose another --out",
                              folder_.string()));
  trained_ = record.value("trained", false);
  measured_ = trained_ && record.value("measured", json()) == json(words_of_measures(measures_.metrics));
  if (measured_) results_ = record.value("results", json::array());
}

std::vector<std::string> SweepRun::words_of_measures(const std::vector<std::string>& metrics) const {
  std::vector<std::string> words = {"--json", fmt::format("--seed={}", seed_)};
  if (!metrics.empty()) words.push_back(fmt::format("--metrics={}", fmt::join(metrics, ",")));
  for (const auto& [name, value] : measures_.flags)
    if (is_read_by(name, metrics.empty() ? usual_metrics : metrics)) append(words, words_of({{name, value}}));
  return words;
}

void SweepRun::save() const {
  json record = {{"identity", identity_}, {"trained", trained_}};
  if (measured_) {
    record["measured"] = words_of_measures(measures_.metrics);
    record["results"] = results_;
  }
  write_file(beside(".json"), dumped(record, 1) + "\n");
}

std::optional<Command> SweepRun::next(const Ended* previous) {
  if (previous == nullptr) {
    begun_ = std::chrono::steady_clock::now();
    loaded_ = measured_;
    if (measured_) return std::nullopt;
    save();
    std::error_code ignored;
    fs::remove(beside(".log"), ignored);
    return trained_ ? measure() : train();
  }
  const bool asked_to_stop = previous->code == interrupted || previous->signal == SIGTERM ||
                             previous->signal == SIGINT || previous->signal == SIGHUP;
  if (asked_to_stop) {
    stopped_ = true;
    return std::nullopt;
  }
  if (trained_) {
    take_measures(*previous);
  } else if (previous->code != 0 || previous->signal != 0) {
    failure_ = failed_command(*previous, beside(".log"));
  } else {
    trained_ = true;
    save();
  }
  if (failure_) return std::nullopt;
  return measure();
}

/// Goes on from the last checkpoint. If the run was killed before it wrote its settings, it starts again.
Command SweepRun::train() {
  std::vector<std::string> words = {executable_, "train", "--quiet"};
  if (fs::exists(folder_ / "config.json")) {
    words.push_back("--resume=" + folder_.string());
  } else {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
    append(words, {"--out=" + folder_.string(), "--learn=" + learn_, fmt::format("--seed={}", seed_)});
    append(words, words_of(told_as_built(flags_)));
  }
  append(words, words_of(measures_.machine));
  return {words, beside(".out"), beside(".log")};
}

/// The command for the next group of metrics; none after the last group.
std::optional<Command> SweepRun::measure() {
  if (group_ == groups_.size()) {
    measured_ = true;
    save();
    std::error_code ignored;
    fs::remove(beside(".out"), ignored);
    return std::nullopt;
  }
  std::vector<std::string> words = {executable_, "evaluate", "--run=" + folder_.string()};
  append(words, words_of_measures(groups_[group_]));
  append(words, words_of(measures_.machine));
  return Command{words, beside(".out"), beside(".log")};
}

void SweepRun::take_measures(const Ended& ended) {
  ++group_;
  if (ended.code == 0 && ended.signal == 0) {
    const json found = json::parse(text_of(beside(".out")), nullptr, false);
    if (found.is_object())
      for (const json& result : found.value("results", json::array())) results_.push_back(result);
    return;
  }
  const bool admitted = ended.signal != 0 || ended.code != not_admitted || !measures_.metrics.empty();
  if (admitted) failure_ = failed_command(ended, beside(".log"));
}

std::string SweepRun::outcome() const {
  if (failure_) return "failed: " + failure_->cause;
  if (loaded_) return "loaded";
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
  return fmt::format("done in {:.1f} s", seconds);
}

json SweepRun::to_json(const fs::path& sweep) const {
  json run = {{"seed", seed_},
              {"folder", folder_.lexically_relative(sweep).string()},
              {"trained", trained_},
              {"measured", measured_},
              {"results", results_}};
  if (failure_) run["failed"] = vaec::to_json(*failure_);
  return run;
}

}  // namespace vaec
