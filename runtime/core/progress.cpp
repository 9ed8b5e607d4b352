#include "runtime/core/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "runtime/core/output.h"
#include "runtime/printable.h"

namespace core {
using std::chrono::steady_clock;

std::string duration_text(double seconds) {
  const auto all = int64_t{std::llround(seconds)};
  if (all >= 3600) return fmt::format("{}:{:02}:{:02}", all / 3600, all / 60 % 60, all % 60);
  return fmt::format("{}:{:02}", all / 60, all % 60);
}

Progress::Progress(Voice voice, int64_t first_step, int64_t steps)
    : voice_(voice),
      terminal_(voice == Voice::normal && isatty(STDERR_FILENO)),
      first_(first_step),
      steps_(steps),
      started_(steady_clock::now()),
      redrawn_(started_) {}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (drawn_) std::fputs("\r\x1b[K", stderr);
  drawn_ = false;
}

std::string Progress::utilities() const {
  std::string text;
  if (!last_.is_object()) return text;
  if (last_.contains("bound")) {
    text = fmt::format("  bound {:.2f}", last_["bound"].get<double>());
    if (last_.contains("libi")) text += fmt::format("  {}", last_["libi"]["phase"].get<std::string>());
  } else {
    for (const auto& [player, value] : last_["utility"].items())
      text += fmt::format("  {} {:.2f}", player, value.get<double>());
  }
  for (const nlohmann::json& result : last_.value("evaluate", nlohmann::json::array()))
    if (result.value("mean", nlohmann::json()).is_number())
      text += fmt::format("  {}@{} {:.4g}", result.at("metric").get<std::string>(),
                          result.value("source", ""), result["mean"].get<double>());
  return text;
}

void Progress::step(int64_t done) {
  if (!terminal_) return;
  const auto now = steady_clock::now();
  if (now - redrawn_ < std::chrono::milliseconds(200)) return;
  redrawn_ = now;
  const double seconds = std::chrono::duration<double>(now - started_).count();
  const double rate = static_cast<double>(done - first_) / std::max(seconds, 1e-9);
  const double share = static_cast<double>(done) / static_cast<double>(std::max<int64_t>(1, steps_));
  constexpr int width = 24;
  const int full = static_cast<int>(share * width);
  std::string bar(static_cast<size_t>(full), '#');
  bar.resize(width, '.');
  clear();
  std::fputs(
      fmt::format("[{}] {}/{}  {:.1f} steps/s  {} left{}", bar, done, steps_, rate,
                  duration_text(static_cast<double>(steps_ - done) / std::max(rate, 1e-9)), utilities())
          .c_str(),
      stderr);
  drawn_ = true;
}

void Progress::metrics(const nlohmann::json& line) {
  last_ = line;
  if (voice_ == Voice::json) {
    std::fputs((line.dump() + "\n").c_str(), stdout);
    flush_output();
  } else if (voice_ == Voice::normal && !terminal_) {
    std::fputs(fmt::format("step {}  {:.1f} steps/s{}\n", line["step"].get<int64_t>(),
                           line["steps_per_second"].get<double>(), utilities())
                   .c_str(),
               stdout);
    flush_output();
  }
}

void Progress::say(const std::string& text) {
  if (voice_ == Voice::quiet) return;
  clear();
  // With --json stdout is for data.
  std::fputs((printable_lines(text) + "\n").c_str(), voice_ == Voice::json || terminal_ ? stderr : stdout);
  flush_output();
}

}  // namespace core
