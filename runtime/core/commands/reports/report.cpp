#include "runtime/core/commands/reports/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "runtime/core/commands/plots/curves.h"
#include "runtime/core/commands/plots/html.h"
#include "runtime/core/commands/plots/sample_plots.h"
#include "runtime/core/commands/reports/figures.h"
#include "runtime/core/run/progress.h"
#include "runtime/core/run/run_directory.h"
#include "runtime/data/arrays/byte_source.h"

namespace core {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr int64_t reload_seconds = 10;
constexpr size_t most_classes = 60;  // in a table that a page can show

/// The file samples/step-N with this ending and the highest step, if there is one.
fs::path last_sample(const fs::path& run, const std::string& ending) {
  fs::path best;
  int64_t best_step = -1;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(run / "samples", none)) {
    int64_t step = -1;
    if (std::sscanf(entry.path().filename().c_str(), "step-%ld", &step) == 1 && step > best_step &&
        entry.path().extension() == ending) {
      best = entry.path();
      best_step = step;
    }
  }
  return best;
}

json read_if_there(const fs::path& file) { return fs::exists(file) ? read_json(file) : json::object(); }

std::string plots_of(const std::vector<Chart>& charts, Chart::Kind kind) {
  std::string plots;
  for (const Chart& chart : charts)
    if (chart.kind == kind) plots += html_plot(plot_of(chart));
  return plots.empty() ? "" : fmt::format("<div class=\"plots\">\n{}</div>\n", plots);
}

/// "learn symmetric: step 400 of 1500 in 3:05, running".
std::string status(const json& config, const std::vector<json>& record, bool running) {
  std::string text = fmt::format("learn {}", config.value("learn", ""));
  const auto steps = config.value("steps", int64_t{0});
  if (!record.empty()) {
    const auto step = record.back().at("step").get<int64_t>();
    text +=
        fmt::format(": step {} of {} in {}", step, steps, duration_text(record.back().value("seconds", 0.0)));
    if (!running && step < steps) text += ", stopped";
  }
  return fmt::format("<p>{}{}</p>\n", html_escaped(text), running ? ", running" : "");
}

/// The last result of each metric on held-out rows.
std::string held_out(const std::vector<json>& record) {
  const auto last = std::find_if(record.rbegin(), record.rend(),
                                 [](const json& line) { return line.contains("evaluate"); });
  if (last == record.rend()) return "";
  std::vector<std::vector<std::string>> rows = {
      {"at step " + fmt::to_string(last->at("step").get<int64_t>()), "value", "standard error", "rows"}};
  for (const json& result : last->at("evaluate"))
    for (const Quantity& quantity : quantities_of(result)) {
      const json error = result.value("standard_error", json());
      rows.push_back({quantity.name,
                      std::isfinite(quantity.value) ? fmt::format("{:.4g}", quantity.value) : not_finite_text,
                      error.is_number() ? fmt::format("{:.2g}", error.get<double>()) : "",
                      fmt::to_string(result.value("rows", int64_t{0}))});
    }
  return "<h2>Held-out rows</h2>\n" + html_table(rows);
}

std::string confusions(const json& evaluation) {
  std::string maps;
  for (const json& result : evaluation.value("results", json::array())) {
    if (!result.contains("confusion") || result["confusion"].size() > most_classes) continue;
    const auto counts = result["confusion"].get<std::vector<std::vector<int64_t>>>();
    auto names = result.value("words", std::vector<std::string>());
    for (size_t k = names.size(); k < counts.size(); ++k) names.push_back(fmt::to_string(k));
    maps += html_heat_map(fmt::format("{} at step {}, {}", result.value("of", ""),
                                      evaluation.value("step", int64_t{0}), result.value("source", "")),
                          names, counts);
  }
  return maps.empty() ? "" : "<h2>Confusion</h2>\n" + maps;
}

std::string samples(const fs::path& run) {
  std::string text;
  if (const fs::path picture = last_sample(run, ".png"); !picture.empty())
    text +=
        fmt::format("<h2>Samples of {}</h2>\n", html_escaped(picture.stem().string())) +
        "<p>A row of data and its reconstructions where the model has them, then means decoded from codes, "
        "then means after 100 steps of the chain.</p>\n" +
        html_picture("samples", data::read_file(picture));
  const fs::path figures = last_sample(run, ".json");
  if (figures.empty()) return text;
  std::string plots;
  for (const Plot& plot : sample_plots(read_json(figures))) plots += html_plot(plot);
  if (plots.empty()) return text;
  return text + fmt::format("<h2>Draws of {}</h2>\n<div class=\"plots\">\n{}</div>\n",
                            html_escaped(figures.stem().string()), plots);
}

std::string machine(const json& environment, const json& config, const std::vector<json>& record) {
  std::vector<std::vector<std::string>> rows = {{"what", ""}};
  const auto add = [&](const char* name, const json& value) {
    if (value.is_string() && !value.get<std::string>().empty())
      rows.push_back({name, value});
    else if (value.is_number())
      rows.push_back({name, value.dump()});
  };
  for (const auto& [name, key] : {std::pair("device", "device"),
                                  {"compiled for", "cpu"},
                                  {"products by", "backend"},
                                  {"threads", "threads"},
                                  {"LibTorch", "libtorch"},
                                  {"vaec", "vaec"},
                                  {"started", "started"}})
    add(name, config.contains(key) && std::string(key) != "device" ? config.at(key)
                                                                   : environment.value(key, json()));
  if (!record.empty()) {
    const double seconds = record.back().value("seconds", 0.0);
    rows.push_back({"training time", duration_text(seconds)});
    rows.push_back({"mean speed", fmt::format("{:.1f} steps/s", record.back().at("step").get<double>() /
                                                                    std::max(seconds, 1e-9))});
  }
  return html_table(rows);
}

}  // namespace

std::string report_page(const fs::path& run, bool running) {
  const std::vector<json> record = read_metrics(run);
  const json config = read_if_there(run / "config.json");
  const std::vector<Chart> charts = charts_of(record);
  std::string page =
      html_beginning(fs::absolute(run).lexically_normal().filename().string(), running ? reload_seconds : 0);
  page += status(config, record, running);
  page += plots_of(charts, Chart::Kind::progress);
  page += held_out(record);
  page += confusions(read_if_there(run / "evaluation.json"));
  page += samples(run);
  if (const std::string terms = plots_of(charts, Chart::Kind::terms); !terms.empty())
    page += "<h2>Terms</h2>\n" + terms;
  page += "<h2>Speed and machine</h2>\n" + plots_of(charts, Chart::Kind::speed) +
          machine(read_if_there(run / "env.json"), config, record);
  for (const auto& [title, file] : {std::pair("Program", "model.vae"), {"Settings", "config.json"}})
    if (fs::exists(run / file))
      page += fmt::format("<h2>{}</h2>\n<pre>{}</pre>\n", title, html_escaped(read_text(run / file)));
  return page + "</html>\n";
}

}  // namespace core
