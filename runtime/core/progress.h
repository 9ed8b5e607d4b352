// What a training run says while it runs: a bar on a terminal (stderr), plain lines elsewhere (stdout),
// the lines of metrics.jsonl with --json (stdout), nothing with --quiet. Output that is lost stops no run.
#pragma once
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

namespace core {

enum class Voice { normal, json, quiet };

/// "3:05", "2:03:05".
std::string duration_text(double seconds);

class Progress {
 public:
  Progress(Voice voice, int64_t first_step, int64_t steps);
  ~Progress();

  /// After a step; redraws the bar a few times a second. `line`: the last metrics.
  void step(int64_t done);
  void metrics(const nlohmann::json& line);
  /// A line of its own.
  void say(const std::string& text);

 private:
  void clear();
  std::string utilities() const;

  Voice voice_;
  bool terminal_;
  bool drawn_ = false;
  int64_t first_, steps_;
  std::chrono::steady_clock::time_point started_, redrawn_;
  nlohmann::json last_;
};

}  // namespace core
