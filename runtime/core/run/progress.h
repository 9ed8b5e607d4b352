// What a training run prints while it runs: one line that is redrawn if stderr is a terminal, else plain
// lines on stdout; with --json the lines of metrics.jsonl on stdout; with --quiet nothing. If its output is
// lost, the run goes on.
#pragma once
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/core/run/terminal.h"

namespace core {

enum class Voice { normal, json, quiet };

/// "3:05", "2:03:05".
std::string duration_text(double seconds);

class Progress {
 public:
  Progress(Voice voice, int64_t first_step, int64_t steps);
  ~Progress();

  /// Called after a step. Redraws the line a few times a second.
  void step(int64_t done);
  /// Shows a line of metrics.jsonl.
  void metrics(const nlohmann::json& line);
  /// Prints a line of its own.
  void say(const std::string& text);
  /// On a terminal: prints the last metrics in lines that stay.
  void leave_metrics();

 private:
  void clear();

  Voice voice_;
  Terminal terminal_;
  bool drawn_ = false, left_ = true;  // left_: the last metrics are in lines that stay
  int64_t first_, steps_;
  std::chrono::steady_clock::time_point started_, redrawn_;
  nlohmann::json last_;
};

}  // namespace core
