// What a training run says while it runs: one line that is redrawn on a terminal (stderr), plain lines
// elsewhere (stdout), the lines of metrics.jsonl with --json (stdout), nothing with --quiet. Output that is
// lost stops no run.
#pragma once
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/core/terminal.h"

namespace core {

enum class Voice { normal, json, quiet };

/// "3:05", "2:03:05".
std::string duration_text(double seconds);

class Progress {
 public:
  Progress(Voice voice, int64_t first_step, int64_t steps);
  ~Progress();

  /// After a step; redraws the line a few times a second.
  void step(int64_t done);
  /// A line of metrics.jsonl.
  void metrics(const nlohmann::json& line);
  /// A line of its own.
  void say(const std::string& text);
  /// On a terminal: the last metrics in lines that stay.
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
