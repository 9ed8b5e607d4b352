#include "runtime/core/commands/reports/compare_curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "runtime/core/commands/reports/figures.h"

namespace core {
namespace {

constexpr size_t most_points_of_band = 300;

/// One curve over all seeds: for each step, the values of the runs.
using Bundle = std::map<double, std::vector<double>>;

struct Entry {
  std::string name;
  bool held_out = false;
  Bundle values;
};

struct SharedPlot {
  std::string title, unit;
  std::vector<Entry> entries;
};

class Plots {
 public:
  void add(const ComparedRuns& runs) {
    for (const std::vector<Chart>& charts : runs.seeds)
      for (const Chart& chart : charts)
        if (chart.kind == Chart::Kind::progress)
          for (const Curve& curve : chart.curves) add(runs.learn, chart, curve);
  }

  std::vector<Plot> take() const {
    std::vector<Plot> plots;
    for (const SharedPlot& shared : plots_) plots.push_back(plot_of(shared));
    return plots;
  }

 private:
  void add(const std::string& learn, const Chart& chart, const Curve& curve) {
    const std::string title = curve.held_out    ? curve.name
                              : chart.is_shared ? chart.title + ", training"
                                                : fmt::format("{}, {}", chart.title, learn);
    auto plot = std::ranges::find_if(plots_, [&](const SharedPlot& known) { return known.title == title; });
    if (plot == plots_.end()) plot = plots_.insert(plot, {title, chart.unit, {}});
    auto entry = std::ranges::find_if(plot->entries, [&](const Entry& known) { return known.name == learn; });
    if (entry == plot->entries.end()) entry = plot->entries.insert(entry, {learn, curve.held_out, {}});
    for (const PlotPoint& point : curve.points) entry->values[point.x].push_back(point.y);
  }

  static Plot plot_of(const SharedPlot& shared) {
    Plot plot{shared.title, "step", shared.unit, {}, true};
    for (size_t i = 0; i < shared.entries.size(); ++i) {
      const Entry& entry = shared.entries[i];
      std::vector<PlotPoint> means, upper, lower;
      bool several = false;
      for (const auto& [step, numbers] : entry.values) {
        const Spread spread = spread_of(numbers);
        several |= numbers.size() > 1;
        means.push_back({step, spread.mean});
        upper.push_back({step, spread.mean + spread.deviation});
        lower.push_back({step, spread.mean - spread.deviation});
      }
      means = thinned(means, most_points_of_band);
      if (several) {
        std::vector<PlotPoint> around = thinned(upper, most_points_of_band);
        const std::vector<PlotPoint> back = thinned(lower, most_points_of_band);
        around.insert(around.end(), back.rbegin(), back.rend());
        plot.layers.push_back({PlotLayer::Mark::area, "", around, i});
      }
      plot.layers.push_back(
          {entry.held_out ? PlotLayer::Mark::dashed : PlotLayer::Mark::line, entry.name, means, i});
    }
    return plot;
  }

  std::vector<SharedPlot> plots_;
};

}  // namespace

std::vector<Plot> compare_plots(const std::vector<ComparedRuns>& runs) {
  Plots plots;
  for (const ComparedRuns& each : runs) plots.add(each);
  return plots.take();
}

}  // namespace core
