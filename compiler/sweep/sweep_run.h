// One run of a sweep. Commands of its executable train it, then measure it. RUN is its run directory. Beside
// it, RUN.json says how far the run got, and RUN.log has the messages of the commands.
#pragma once
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "compiler/sweep/child_processes.h"
#include "compiler/sweep/sweep_values.h"

namespace vaec {

struct FailedCommand {
  int code = 0;
  std::string cause;  // one line
};

/// The cause is the signal, or the first line of the log that begins with "error", or its last line.
FailedCommand failed_command(const Ended& ended, const std::filesystem::path& log);
nlohmann::json to_json(const FailedCommand& failure);
/// The value as text, in which bytes that are not UTF-8 are replaced.
std::string dumped(const nlohmann::json& value, int indent);
/// The text of a file; empty if there is no such file.
std::string text_of(const std::filesystem::path& path);
/// The names of the learn blocks of an executable.
std::vector<std::string> learns_of(const std::filesystem::path& executable);

struct Measures {
  std::vector<std::string> metrics;  // if empty: the usual metrics that the model allows
  std::vector<Setting> flags, machine;
};

class SweepRun {
 public:
  SweepRun(const std::filesystem::path& folder, const std::filesystem::path& executable,
           const std::string& learn, const std::vector<Setting>& flags, uint64_t seed, Measures measures);

  /// Reads how far an earlier sweep got with this run. Throws Failure(bad_configuration) if the text of the
  /// program, or environment variables that replace flags, were different then.
  void find_earlier(const std::string& text);
  std::optional<Command> next(const Ended* previous);

  const std::filesystem::path& folder() const { return folder_; }
  bool stopped() const { return stopped_; }
  const std::optional<FailedCommand>& failure() const { return failure_; }
  /// The result of the run, as text for the user.
  std::string outcome() const;
  nlohmann::json to_json(const std::filesystem::path& sweep) const;

 private:
  Command train();
  std::optional<Command> measure();
  void take_measures(const Ended& ended);
  void save() const;
  std::vector<std::string> words_of_measures(const std::vector<std::string>& metrics) const;
  std::filesystem::path beside(const char* ending) const { return folder_.string() + ending; }

  std::filesystem::path folder_, executable_;
  std::string learn_;
  std::vector<Setting> flags_;
  uint64_t seed_;
  Measures measures_;
  std::vector<std::vector<std::string>> groups_;  // each command measures one group of metrics
  size_t group_ = 0;
  nlohmann::json identity_, results_ = nlohmann::json::array();
  bool trained_ = false, measured_ = false, loaded_ = false, stopped_ = false;
  std::optional<FailedCommand> failure_;
  std::chrono::steady_clock::time_point begun_;
};

}  // namespace vaec
