#include "runtime/core/run/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "runtime/core/run/output.h"
#include "runtime/shared/printable.h"

namespace core {
using std::chrono::steady_clock;

namespace {

constexpr size_t least_bar = 8, most_bar = 24, most_digits = 8;

/// The figures that are shown for a line of metrics.jsonl: the parts of a bound if there is one, else the
/// utilities; then the results on held-out rows.
std::vector<Piece> figures_of(const nlohmann::json& line) {
  std::vector<Piece> pieces;
  if (!line.is_object()) return pieces;
  const auto add = [&](const std::string& name, double value) {
    const bool small = value != 0 && std::abs(value) < 0.1;
    pieces.push_back({small ? fmt::format("{} {:.3g}", name, value) : fmt::format("{} {:.2f}", name, value)});
  };
  for (const char* name : {"bound", "elbo", "reconstruction", "kl"})
    if (line.contains(name)) add(name, line.at(name).get<double>());
  if (pieces.empty())
    for (const auto& [player, value] : line.at("utility").items()) add(player, value.get<double>());
  if (line.contains("libi")) pieces.push_back({line["libi"]["phase"].get<std::string>()});
  for (const nlohmann::json& result : line.value("evaluate", nlohmann::json::array()))
    if (result.value("mean", nlohmann::json()).is_number())
      pieces.push_back({fmt::format("{}@{} {:.4g}", result.at("metric").get<std::string>(),
                                    result.value("source", ""), result["mean"].get<double>()),
                        Piece::Style::held_out});
  return pieces;
}

std::string speed_text(double rate) { return fmt::format("{:.1f} steps/s", rate); }

std::string bar_of(double share, size_t width) {
  const auto full = static_cast<size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(width));
  return '[' + std::string(full, '#') + std::string(width - full, '.') + ']';
}

}  // namespace

std::string duration_text(double seconds) {
  const auto all = int64_t{std::llround(seconds)};
  if (all >= 3600) return fmt::format("{}:{:02}:{:02}", all / 3600, all / 60 % 60, all % 60);
  return fmt::format("{}:{:02}", all / 60, all % 60);
}

Progress::Progress(Voice voice, int64_t first_step, int64_t steps)
    : voice_(voice),
      terminal_(voice == Voice::normal),
      first_(first_step),
      steps_(steps),
      started_(steady_clock::now()),
      redrawn_(started_) {}

Progress::~Progress() { leave_metrics(); }

void Progress::clear() {
  if (drawn_) std::fputs("\r\x1b[K", stderr);
  drawn_ = false;
}

void Progress::leave_metrics() {
  clear();
  if (!terminal_.is_there() || left_) return;
  left_ = true;
  std::vector<Piece> pieces = {
      {fmt::format("step {}/{}", last_.at("step").get<int64_t>(), steps_), Piece::Style::strong},
      {speed_text(last_.at("steps_per_second").get<double>())}};
  for (Piece& figure : figures_of(last_)) pieces.push_back(std::move(figure));
  std::fputs((terminal_.wrapped(pieces) + "\n").c_str(), stderr);
}

/// In a narrow terminal, space goes first to the steps, then to the metrics, the time left, the speed, and
/// the bar.
void Progress::step(int64_t done) {
  if (!terminal_.is_there()) return;
  const auto now = steady_clock::now();
  if (now - redrawn_ < std::chrono::milliseconds(200)) return;
  redrawn_ = now;
  const double seconds = std::chrono::duration<double>(now - started_).count();
  const double rate = static_cast<double>(done - first_) / std::max(seconds, 1e-9);
  const double share = static_cast<double>(done) / static_cast<double>(std::max<int64_t>(1, steps_));
  const Piece steps{fmt::format("{}/{}", done, steps_).substr(0, Terminal::width()), Piece::Style::strong};
  const Piece speed{speed_text(rate)},
      left{"left " + duration_text(static_cast<double>(steps_ - done) / std::max(rate, 1e-9)),
           Piece::Style::faint};
  size_t free = Terminal::width() - std::min(Terminal::width(), 2 * fmt::to_string(steps_).size() + 1);
  const auto fits = [&](const Piece& piece) {
    // Reserves space for a number of the usual length, so that the same pieces are shown at every step.
    const size_t number = piece.text.size() - std::min(piece.text.size(), piece.text.rfind(' ') + 1);
    const size_t columns = 2 + columns_of(piece.text) + most_digits - std::min(most_digits, number);
    if (columns > free) return false;
    free -= columns;
    return true;
  };
  std::vector<Piece> figures = figures_of(last_);
  figures.erase(std::ranges::find_if_not(figures, fits), figures.end());
  const bool shows_left = fits(left), shows_speed = fits(speed);
  std::string text;
  // A bar also needs its brackets and the space after it.
  if (free >= least_bar + 3)
    text = terminal_.styled({bar_of(share, std::min(most_bar, free - 3)), Piece::Style::faint}) + ' ';
  text += terminal_.styled(steps);
  if (shows_speed) text += "  " + terminal_.styled(speed);
  if (shows_left) text += "  " + terminal_.styled(left);
  for (const Piece& piece : figures) text += "  " + terminal_.styled(piece);
  clear();
  std::fputs(text.c_str(), stderr);
  drawn_ = true;
}

void Progress::metrics(const nlohmann::json& line) {
  // Results on held-out rows stay visible until they are measured again.
  nlohmann::json held_out = last_.is_object() ? last_.value("evaluate", nlohmann::json()) : nlohmann::json();
  last_ = line;
  if (!held_out.is_null() && !line.contains("evaluate")) last_["evaluate"] = std::move(held_out);
  left_ = false;
  if (voice_ == Voice::json) {
    std::fputs((line.dump() + "\n").c_str(), stdout);
    flush_output();
  } else if (voice_ == Voice::normal && !terminal_.is_there()) {
    std::string text = fmt::format("step {}  {}", line["step"].get<int64_t>(),
                                   speed_text(line["steps_per_second"].get<double>()));
    for (const Piece& figure : figures_of(line)) text += "  " + figure.text;
    std::fputs((text + "\n").c_str(), stdout);
    flush_output();
  }
}

void Progress::say(const std::string& text) {
  if (voice_ == Voice::quiet) return;
  clear();
  std::string shown = printable_lines(text);
  const std::string note = "note:";
  if (shown.starts_with(note))
    shown = terminal_.styled({note, Piece::Style::warning}) + shown.substr(note.size());
  // With --json, stdout contains only data.
  const bool aside = voice_ == Voice::json || terminal_.is_there();
  std::fputs((shown + "\n").c_str(), aside ? stderr : stdout);
  flush_output();
}

}  // namespace core
