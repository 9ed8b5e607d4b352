#include "compiler/sweep/sweep.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <thread>

#include "compiler/commands/learn_flags.h"
#include "compiler/files.h"
#include "compiler/runtime_function.h"
#include "compiler/sweep/child_processes.h"
#include "compiler/sweep/sweep_run.h"
#include "runtime/schema/training_flags.h"
#include "runtime/shared/own_executable.h"
#include "runtime/shared/printable.h"

namespace vaec {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// The executable for one combination of params and keys.
struct Program {
  std::vector<Setting> params, keys;
  fs::path folder, executable;
  std::optional<FailedCommand> failure;
  std::string said;  // its diagnostics
};

std::vector<Setting> joined(std::vector<Setting> first, const std::vector<Setting>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// A folder that only one sweep at a time may write.
class SweepFolder {
 public:
  explicit SweepFolder(const fs::path& path) : path_(path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (!error) lock_ = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (error || lock_ < 0 || access(path.c_str(), W_OK) != 0)
      throw Failure(Exit::cannot_write, fmt::format("cannot write {}: {}", path.string(),
                                                    error ? error.message() : std::strerror(errno)));
    if (flock(lock_, LOCK_EX | LOCK_NB) != 0)
      throw Failure(Exit::bad_configuration, fmt::format("another sweep is writing {}", path.string()));
  }
  SweepFolder(const SweepFolder&) = delete;
  ~SweepFolder() { close(lock_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  int lock_ = -1;
};

fs::path folder_of(const SweepRequest& request) {
  if (!request.out.empty()) return request.out;
  const std::string name = fs::path(request.file).stem();
  for (int n = 1;; ++n) {
    const fs::path path = fs::path("runs") / fmt::format("{}-sweep-{}", name, n);
    if (!fs::exists(path)) return path;
  }
}

class Sweep {
 public:
  explicit Sweep(const SweepRequest& request)
      : request_(request),
        text_(read_file(request.file)),
        built_learns_(request.learns),
        folder_(folder_of(request)) {
    if (built_learns_.empty()) built_learns_ = learn_names(request.file, text_);
    if (request.learns.empty() && built_learns_.size() > 1) built_learns_.resize(1);
    for (const std::vector<Setting>& params : combinations(request.params))
      for (const std::vector<Setting>& keys : combinations(request.keys)) {
        Program program;
        program.params = params;
        program.keys = keys;
        const std::vector<Setting> all = joined(params, keys);
        program.folder = all.empty() ? folder_.path() : folder_.path() / file_name(all);
        program.executable = program.folder / fs::path(request.file).stem();
        programs_.push_back(program);
      }
  }

  Exit run() {
    if (!build()) return stopped();
    const bool none = std::all_of(programs_.begin(), programs_.end(),
                                  [](const Program& program) { return program.failure.has_value(); });
    if (none) return refuse_all();
    choose_learns();
    plan_runs();
    const bool whole = train_all();
    const int code = report(!whole);
    if (!whole) return stopped();
    return static_cast<Exit>(code);
  }

 private:
  void say(const std::string& line) const {
    (request_.json ? std::cerr : std::cout) << printable(line) << std::endl;
  }

  Exit stopped() const {
    say(fmt::format("stopped; the same command with --out {} goes on", folder_.path().string()));
    return Exit::interrupted;
  }

  bool build() {
    std::vector<Chain> chains;
    for (Program& program : programs_)
      chains.emplace_back([this, &program](const Ended* ended) { return build_step(program, ended); });
    return run_chains(chains, static_cast<size_t>(request_.jobs));
  }

  std::optional<Command> build_step(Program& program, const Ended* ended) const {
    const fs::path log = program.folder / "build.log";
    std::error_code ignored;
    if (ended == nullptr) {
      make_folder(program.folder);
      fs::remove(log, ignored);
      std::vector<std::string> words = {own_executable(),   "build",    request_.file,  "-o",
                                        program.executable, "--target", request_.target};
      for (const auto& [name, value] : program.params) {
        words.emplace_back("-D");
        words.push_back(name + "=" + value);
      }
      if (!program.keys.empty()) words.push_back(fmt::format("--learn={}", fmt::join(built_learns_, ",")));
      for (const auto& [name, value] : program.keys) words.push_back(fmt::format("--{}={}", name, value));
      return Command{words, program.folder / "build.out", log};
    }
    fs::remove(program.folder / "build.out", ignored);
    if (ended->code != 0 || ended->signal != 0) {
      program.said = text_of(log);
      program.failure = failed_command(*ended, log);
    } else {
      fs::remove(log, ignored);
    }
    return std::nullopt;
  }

  static void make_folder(const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error)
      throw Failure(Exit::cannot_write, fmt::format("cannot write {}: {}", folder.string(), error.message()));
  }

  /// No combination compiles: prints the diagnostics of the first, and removes the folders.
  Exit refuse_all() const {
    std::cerr << programs_[0].said;
    std::error_code ignored;
    for (const Program& program : programs_) {
      fs::remove(program.folder / "build.log", ignored);
      fs::remove(program.folder, ignored);
    }
    fs::remove(folder_.path(), ignored);
    if (programs_.size() > 1)
      std::cerr << fmt::format("vaec sweep: none of {} combinations compiles; this is of the first\n",
                               programs_.size());
    return static_cast<Exit>(programs_[0].failure->code);
  }

  void choose_learns() {
    const auto built = std::find_if(programs_.begin(), programs_.end(),
                                    [](const Program& program) { return !program.failure; });
    const std::vector<std::string> known = learns_of(built->executable);
    learns_ = request_.learns;
    if (learns_.empty() && known.empty())
      throw Failure(Exit::bad_configuration, fmt::format("{} has no learn block", request_.file));
    if (learns_.empty()) learns_.push_back(known[0]);
    for (const std::string& learn : learns_)
      if (std::find(known.begin(), known.end(), learn) == known.end())
        throw Failure(Exit::usage,
                      fmt::format("there is no learn block {}; known: {}", learn, fmt::join(known, ", ")));
  }

  void plan_runs() {
    const std::vector<Setting> machine = machine_flags();
    for (const Program& program : programs_)
      for (const std::string& learn : learns_)
        for (const std::vector<Setting>& flags : combinations(request_.flags)) {
          const std::vector<Setting> varied = joined(program.keys, flags);
          rows_.push_back({program.params, learn, varied, program.failure, {}});
          if (program.failure) continue;
          for (int64_t i = 0; i < request_.seeds; ++i) {
            const uint64_t seed = request_.seed + static_cast<uint64_t>(i);
            rows_.back().runs.push_back(runs_.size());
            runs_.emplace_back(program.folder, program.executable, learn, varied, seed,
                               Measures{request_.metrics, request_.measured, machine});
            runs_.back().find_earlier(text_);
          }
        }
  }

  /// Runs at the same time share the processor, so each gets a part of its threads.
  std::vector<Setting> machine_flags() const {
    std::vector<Setting> flags = request_.machine;
    const bool given =
        std::any_of(flags.begin(), flags.end(), [](const Setting& flag) { return flag.first == "threads"; });
    const auto cores = static_cast<int64_t>(std::thread::hardware_concurrency());
    if (!given && request_.jobs > 1)
      flags.emplace_back("threads", fmt::to_string(std::max<int64_t>(1, cores / request_.jobs)));
    return flags;
  }

  bool train_all() {
    std::vector<Chain> chains;
    size_t ended = 0;
    for (SweepRun& run : runs_)
      chains.emplace_back([this, &run, &ended](const Ended* previous) {
        auto command = run.next(previous);
        if (!command && !run.stopped())
          say(fmt::format("[{}/{}] {}: {}", ++ended, runs_.size(), run.folder().string(), run.outcome()));
        return command;
      });
    return run_chains(chains, static_cast<size_t>(request_.jobs));
  }

  json axes() const {
    json found = json::array();
    const auto add = [&](const std::string& name, const std::vector<std::string>& values) {
      found.push_back({{"name", name}, {"values", values}});
    };
    for (const Axis& axis : request_.params) add(axis.name, axis.values);
    add("learn", learns_);
    for (const Axis& axis : request_.keys) add("--" + axis.name, axis.values);
    for (const Axis& axis : request_.flags) add("--" + axis.name, axis.values);
    return found;
  }

  /// Prints and writes the table. Returns the exit code of the first failure.
  int report(bool was_stopped) const {
    json rows = json::array();
    int code = 0;
    for (const Row& row : rows_) {
      json values = json::array(), runs = json::array();
      for (const auto& [name, value] : row.params) values.push_back(value);
      values.push_back(row.learn);
      for (const auto& [name, value] : row.flags) values.push_back(value);
      for (const size_t run : row.runs) runs.push_back(runs_[run].to_json(folder_.path()));
      rows.push_back({{"values", values}, {"runs", runs}});
      if (row.failure) rows.back()["failed"] = to_json(*row.failure);
      if (code == 0 && row.failure) code = row.failure->code;
      for (const size_t run : row.runs)
        if (code == 0 && runs_[run].failure()) code = runs_[run].failure()->code;
    }
    const json all = {{"program", fs::path(request_.file).filename().string()},
                      {"text", text_},
                      {"seeds", request_.seeds},
                      {"seed", request_.seed},
                      {"stopped", was_stopped},
                      {"axes", axes()},
                      {"rows", rows}};
    write_file(folder_.path() / "sweep.json", dumped(all, 2) + "\n");
    const auto print = runtime_function<int (*)(const char*, int)>("vaert_sweep_report");
    const int failed = print(folder_.path().c_str(), request_.json ? 1 : 0);
    return failed != 0 ? failed : code;
  }

  struct Row {
    std::vector<Setting> params;
    std::string learn;
    std::vector<Setting> flags;
    std::optional<FailedCommand> failure;
    std::vector<size_t> runs;  // indices into runs_
  };

  const SweepRequest& request_;
  std::string text_;
  std::vector<std::string> built_learns_;  // the learn blocks for which keys are compiled in
  SweepFolder folder_;
  std::vector<Program> programs_;
  std::vector<std::string> learns_;
  std::vector<Row> rows_;
  std::vector<SweepRun> runs_;
};

}  // namespace

Exit sweep(const SweepRequest& request) {
  const std::string metrics = fmt::format("{}", fmt::join(request.metrics, ","));
  const auto check = runtime_function<int (*)(const char*)>("vaert_require_metrics");
  if (const int code = check(metrics.c_str()); code != 0) return static_cast<Exit>(code);
  return Sweep(request).run();
}

}  // namespace vaec
