#include "runtime/core/commands/reports/sweep_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "runtime/core/commands/commands.h"
#include "runtime/core/commands/plots/html.h"
#include "runtime/core/commands/plots/plot.h"
#include "runtime/core/commands/reports/figures.h"
#include "runtime/core/commands/reports/varied_values.h"
#include "runtime/core/commands/values/value_files.h"
#include "runtime/core/run/output.h"
#include "runtime/core/run/run_directory.h"
#include "runtime/data/arrays/byte_source.h"
#include "runtime/schema/json_fields.h"
#include "runtime/shared/counted.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/print_error.h"
#include "runtime/shared/printable.h"

namespace core {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

struct SweptAxis {
  std::string name;
  std::vector<std::string> values;
};

struct Failed {
  std::string cause;
  std::vector<uint64_t> seeds;  // empty: all seeds, because the combination does not compile
};

/// One combination: for each figure, a number from each measured run.
struct SweptRow {
  std::vector<std::string> values;  // one for each axis
  std::vector<std::pair<std::string, std::vector<double>>> figures;
  std::vector<Failed> failed;
  size_t runs = 0;  // how many were measured

  const std::vector<double>* find(const std::string& name) const {
    for (const auto& [known, numbers] : figures)
      if (known == name) return &numbers;
    return nullptr;
  }
  void add(const Quantity& quantity) {
    auto entry = std::find_if(figures.begin(), figures.end(),
                              [&](const auto& known) { return known.first == quantity.name; });
    if (entry == figures.end()) entry = figures.insert(entry, {quantity.name, {}});
    entry->second.push_back(quantity.value);
  }
  void fail(const std::string& cause, std::vector<uint64_t> seeds) {
    for (Failed& known : failed)
      if (known.cause == cause) {
        known.seeds.insert(known.seeds.end(), seeds.begin(), seeds.end());
        return;
      }
    failed.push_back({cause, std::move(seeds)});
  }
};

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& cell : cells) line += (&cell == cells.data() ? "" : ",") + csv_cell(cell);
  return line + "\n";
}

class SweepReport {
 public:
  explicit SweepReport(const fs::path& folder) : folder_(folder), all_(read_json(folder / "sweep.json")) {
    for (const json& axis : all_.at("axes")) axes_.push_back({axis.at("name"), axis.at("values")});
    for (const json& row : all_.at("rows")) rows_.push_back(read_row(row));
    for (size_t i = 0; i < axes_.size(); ++i)
      if (axes_[i].values.size() > 1) shown_.push_back(i);
    if (shown_.empty())
      for (size_t i = 0; i < axes_.size(); ++i)
        if (axes_[i].name == "learn") shown_.push_back(i);
  }

  void write(bool as_json) {
    write_file("table.csv", table_csv());
    write_file("runs.csv", runs_csv_);
    write_file("report.html", page());
    if (as_json) {
      fmt::print("{}\n", schema::json_text(to_json()));
    } else {
      print_aligned(table());
      fmt::print("{}\n", printable(fmt::format("{}: report.html, table.csv, runs.csv", folder_.string())));
    }
    require_output();
    for (const std::string& line : failures()) print_error("vaec sweep: failed: {}\n", printable(line));
  }

 private:
  SweptRow read_row(const json& entry) {
    SweptRow row;
    row.values = entry.at("values");
    if (entry.contains("failed")) row.fail(entry["failed"].at("cause"), {});
    for (const json& run : entry.at("runs")) {
      const auto seed = run.at("seed").get<uint64_t>();
      if (run.contains("failed")) row.fail(run["failed"].at("cause"), {seed});
      if (!run.value("measured", false)) continue;
      ++row.runs;
      std::vector<Quantity> quantities;
      for (const json& result : run.at("results"))
        for (const Quantity& quantity : quantities_of(result)) quantities.push_back(quantity);
      const std::vector<json> record = read_metrics(folder_ / run.at("folder").get<std::string>());
      if (!record.empty()) quantities.push_back({"training, seconds", record.back().value("seconds", 0.0)});
      for (const Quantity& quantity : quantities) {
        row.add(quantity);
        add_run_line(row, seed, quantity);
      }
    }
    return row;
  }

  /// Adds a line for one figure of a run. Runs may differ in what can be measured.
  void add_run_line(const SweptRow& row, uint64_t seed, const Quantity& quantity) {
    if (runs_csv_.empty()) {
      std::vector<std::string> head;
      for (const SweptAxis& axis : axes_) head.push_back(axis.name);
      for (const char* name : {"seed", "figure", "value"}) head.emplace_back(name);
      runs_csv_ = csv_line(head);
    }
    std::vector<std::string> cells = row.values;
    cells.push_back(fmt::to_string(seed));
    cells.push_back(quantity.name);
    cells.push_back(fmt::format("{}", quantity.value));
    runs_csv_ += csv_line(cells);
  }

  std::vector<std::string> figure_names() const {
    std::vector<std::string> names;
    for (const SweptRow& row : rows_)
      for (const auto& [name, numbers] : row.figures)
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    // The training time comes last, even if some rows have figures that others do not have.
    std::stable_partition(names.begin(), names.end(),
                          [](const std::string& name) { return name != "training, seconds"; });
    return names;
  }

  bool all_measured() const {
    return std::all_of(rows_.begin(), rows_.end(),
                       [&](const SweptRow& row) { return row.runs == all_.at("seeds").get<size_t>(); });
  }

  std::vector<std::vector<std::string>> table() const {
    const std::vector<std::string> names = figure_names();
    std::vector<std::vector<std::string>> lines(1);
    for (const size_t i : shown_) lines[0].push_back(axes_[i].name);
    lines[0].insert(lines[0].end(), names.begin(), names.end());
    const bool whole = all_measured();
    if (!whole) lines[0].emplace_back("runs");
    for (const SweptRow& row : rows_) {
      lines.emplace_back();
      for (const size_t i : shown_) lines.back().push_back(row.values[i]);
      for (const std::string& name : names) lines.back().push_back(cell_text(row.find(name)));
      if (!whole) lines.back().push_back(fmt::format("{}/{}", row.runs, all_.at("seeds").get<size_t>()));
    }
    return lines;
  }

  std::string table_csv() const {
    const std::vector<std::string> names = figure_names();
    std::vector<std::string> head;
    for (const SweptAxis& axis : axes_) head.push_back(axis.name);
    head.emplace_back("runs");
    for (const std::string& name : names) {
      head.push_back(name);
      head.push_back(name + ", standard deviation");
    }
    std::string text = csv_line(head);
    for (const SweptRow& row : rows_) {
      std::vector<std::string> cells = row.values;
      cells.push_back(fmt::to_string(row.runs));
      for (const std::string& name : names) {
        const std::vector<double>* numbers = row.find(name);
        cells.push_back(numbers ? fmt::format("{}", spread_of(*numbers).mean) : "");
        cells.push_back(numbers && numbers->size() > 1 ? fmt::format("{}", spread_of(*numbers).deviation)
                                                       : "");
      }
      text += csv_line(cells);
    }
    return text;
  }

  std::string name_of(const SweptRow& row, const std::vector<size_t>& axes) const {
    std::string name;
    for (const size_t i : axes)
      name += (name.empty() ? "" : ", ") +
              (axes_[i].name == "learn" ? row.values[i] : axes_[i].name + "=" + row.values[i]);
    return name;
  }

  std::vector<std::string> failures() const {
    std::vector<std::string> lines;
    for (const SweptRow& row : rows_)
      for (const Failed& failed : row.failed) {
        std::string where = name_of(row, shown_);
        if (!failed.seeds.empty())
          where +=
              fmt::format(", seed{} {}", failed.seeds.size() == 1 ? "" : "s", fmt::join(failed.seeds, ", "));
        lines.push_back(where + ": " + failed.cause);
      }
    return lines;
  }

  /// The horizontal axis of the plots: the first axis with several numbers, or else the first with several
  /// values.
  size_t plotted_axis() const {
    for (const size_t i : shown_)
      if (are_numbers(axes_[i].values)) return i;
    return shown_[0];
  }

  std::string plots() const {
    if (rows_.size() < 2) return "";
    const size_t across = plotted_axis();
    std::vector<size_t> others;
    for (const size_t i : shown_)
      if (i != across) others.push_back(i);
    const std::vector<std::pair<double, std::string>> places = places_of(axes_[across].values);
    std::string text = "<div class=\"plots\">\n";
    for (const std::string& name : figure_names()) {
      Plot plot{name, axes_[across].name, name, {}, false, places};
      for (const SweptRow& row : rows_) {
        const std::vector<double>* numbers = row.find(name);
        if (!numbers) continue;
        const Spread spread = spread_of(*numbers);
        if (!std::isfinite(spread.mean)) continue;
        const std::string line_name = name_of(row, others);
        auto line = std::ranges::find_if(plot.layers,
                                         [&](const PlotLayer& known) { return known.name == line_name; });
        if (line == plot.layers.end())
          line = plot.layers.insert(line, {PlotLayer::Mark::whiskers, line_name, {}, plot.layers.size()});
        const auto place = std::ranges::find_if(
            places, [&](const auto& known) { return known.second == row.values[across]; });
        line->points.push_back({place->first, spread.mean, spread.deviation});
      }
      for (PlotLayer& line : plot.layers)
        std::ranges::sort(line.points, {}, [](const PlotPoint& point) { return point.x; });
      text += html_plot(plot);
    }
    return text + "</div>\n";
  }

  std::string page() const {
    const auto seeds = all_.at("seeds").get<size_t>();
    std::string text = html_beginning(fmt::format("{}: sweep", all_.at("program").get<std::string>()));
    text += fmt::format("<p>{} from {}{}{}.</p>\n", counted(seeds, "seed"), all_.at("seed").get<uint64_t>(),
                        seeds == 1 ? "" : "; mean +- standard deviation over the seeds",
                        all_.value("stopped", false) ? "; stopped before its end" : "");
    text += html_table(table()) + plots();
    if (const std::vector<std::string> lines = failures(); !lines.empty()) {
      text += "<h2>Failed</h2>\n<ul>";
      for (const std::string& line : lines) text += fmt::format("<li>{}</li>\n", html_escaped(line));
      text += "</ul>\n";
    }
    return text + fmt::format("<h2>Program</h2>\n<pre>{}</pre>\n</html>\n",
                              html_escaped(all_.at("text").get<std::string>()));
  }

  json to_json() const {
    json rows = json::array();
    for (const SweptRow& row : rows_) {
      json values = json::object(), figures = json::object(), failed = json::array();
      for (size_t i = 0; i < axes_.size(); ++i) values[axes_[i].name] = row.values[i];
      for (const auto& [name, numbers] : row.figures) {
        const Spread spread = spread_of(numbers);
        figures[name] = {{"mean", spread.mean}, {"values", numbers}};
        if (numbers.size() > 1) figures[name]["standard_deviation"] = spread.deviation;
      }
      for (const Failed& each : row.failed) failed.push_back({{"cause", each.cause}, {"seeds", each.seeds}});
      rows.push_back({{"values", values}, {"runs", row.runs}, {"figures", figures}, {"failed", failed}});
    }
    return {{"program", all_.at("program")},
            {"seeds", all_.at("seeds")},
            {"seed", all_.at("seed")},
            {"rows", rows},
            {"failed", failures()}};
  }

  void write_file(const char* name, const std::string& text) const {
    data::write_file(folder_ / name, {text.begin(), text.end()});
  }

  fs::path folder_;
  json all_;
  std::vector<SweptAxis> axes_;
  std::vector<SweptRow> rows_;
  std::vector<size_t> shown_;  // axes with several values
  std::string runs_csv_;
};

template <class Action>
int exit_code_of(const Action& action) {
  try {
    action();
    return 0;
  } catch (const Failure& failure) {
    print_error("vaec sweep: {}\n", printable(failure.what()));
    return static_cast<int>(failure.exit_code);
  } catch (const std::exception& failure) {
    print_error("vaec sweep: internal error: {}\n", printable(failure.what()));
    return static_cast<int>(Exit::internal);
  }
}

}  // namespace
}  // namespace core

extern "C" __attribute__((visibility("default"))) int vaert_require_metrics(const char* names) {
  return core::exit_code_of([&] {
    std::vector<std::string> metrics;
    std::istringstream text(names);
    for (std::string name; std::getline(text, name, ',');) metrics.push_back(name);
    core::require_metrics(metrics);
  });
}

extern "C" __attribute__((visibility("default"))) int vaert_sweep_report(const char* folder, int as_json) {
  return core::exit_code_of([&] { core::SweepReport(folder).write(as_json != 0); });
}
