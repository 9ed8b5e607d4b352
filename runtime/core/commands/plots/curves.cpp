#include "runtime/core/commands/plots/curves.h"

#include <fmt/format.h>

#include <algorithm>

namespace core {
namespace {
using nlohmann::json;

constexpr size_t most_points = 400;  // for a curve: a figure has not enough pixels to show more
constexpr const char* nats = "nats per row";

class Charts {
 public:
  explicit Charts(const std::vector<json>& record) {
    for (const json& line : record) {
      step_ = line.at("step").get<double>();
      add_objective(line);
      add_held_out(line);
    }
    for (const json& line : record) {
      step_ = line.at("step").get<double>();
      const json terms = line.value("terms", json::object());
      for (const auto& [name, value] : terms.items())
        add({Chart::Kind::terms, title_of_terms(name), nats, {}}, name, false, value);
    }
    join_equal_ones();
    for (const json& line : record) {
      step_ = line.at("step").get<double>();
      add({Chart::Kind::speed, "Speed", "steps per second", {}}, "", false,
          line.value("steps_per_second", json()));
    }
  }

  std::vector<Chart> take() { return std::move(charts_); }

 private:
  void add_objective(const json& line) {
    bool is_bound = false;
    for (const auto& [key, title] : {std::pair("bound", "Bound"),
                                     {"elbo", "ELBO"},
                                     {"reconstruction", "Reconstruction"},
                                     {"kl", "KL"}}) {
      if (!line.contains(key)) continue;
      is_bound = true;
      add({Chart::Kind::progress, title, nats, {}}, std::string(key) + ", training", false, line[key]);
    }
    if (is_bound) return;
    for (const auto& [player, value] : line.at("utility").items())
      add({Chart::Kind::progress, "Utility of " + player, nats, {}, false}, "utility of " + player, false,
          value);
  }

  void add_held_out(const json& line) {
    for (const json& result : line.value("evaluate", json::array())) {
      const std::string metric = result.value("metric", "");
      std::string name = fmt::format("{}@{}", metric, result.value("source", ""));
      // If there are several variables, the name includes the variable.
      const bool shares = metric == "accuracy" || metric == "mean_iou";
      if (shares) name = fmt::format("{} of {}", name, result.value("of", ""));
      add({Chart::Kind::progress, title_of_metric(metric), shares ? "share" : nats, {}}, name, true,
          result.value("mean", json()));
    }
  }

  /// If a bound is learned, the likelihood that it bounds is in the same chart.
  std::string title_of_metric(const std::string& metric) const {
    if (metric == "loglik")
      for (const char* bound : {"ELBO", "Bound"})
        if (find(bound) != charts_.end()) return bound;
    if (metric == "loglik") return "Log-likelihood";
    if (metric == "elbo") return "ELBO";
    if (metric == "kl") return "KL";
    std::string title = metric;
    if (!title.empty() && title[0] >= 'a' && title[0] <= 'z') title[0] = static_cast<char>(title[0] - 32);
    return title;
  }

  static std::string title_of_terms(const std::string& term) {
    const std::string owner = term.substr(0, term.find_first_of(".@"));
    if (owner == "kl") return "KL of each variable";
    if (owner == "free") return "Free bits";
    if (owner == "bound" || owner == "elbo") return "Bound of each source";
    return owner == "source" ? "Terms of the sources" : "Terms of " + owner;
  }

  std::vector<Chart>::iterator find(const std::string& title) {
    return std::ranges::find_if(charts_, [&](const Chart& chart) { return chart.title == title; });
  }
  std::vector<Chart>::const_iterator find(const std::string& title) const {
    return std::ranges::find_if(charts_, [&](const Chart& chart) { return chart.title == title; });
  }

  void add(Chart empty, const std::string& name, bool held_out, const json& value) {
    if (!value.is_number()) return;
    auto chart = find(empty.title);
    if (chart == charts_.end()) chart = charts_.insert(chart, std::move(empty));
    auto curve = std::ranges::find_if(chart->curves, [&](const Curve& known) { return known.name == name; });
    if (curve == chart->curves.end()) curve = chart->curves.insert(curve, {name, held_out, {}});
    curve->points.push_back({step_, value.get<double>()});
  }

  static bool is_same(const Curve& a, const Curve& b) {
    return std::ranges::equal(
        a.points, b.points, [](const PlotPoint& p, const PlotPoint& q) { return p.x == q.x && p.y == q.y; });
  }

  /// If a term is equal to a utility or a part of a bound, its name is added to the existing curve.
  void join_equal_ones() {
    std::vector<Curve*> shown;
    for (Chart& chart : charts_) {
      std::erase_if(chart.curves, [&](const Curve& curve) {
        for (Curve* known : shown)
          if (!curve.held_out && is_same(*known, curve)) {
            known->name += " = " + curve.name;
            return true;
          }
        return false;
      });
      for (Curve& curve : chart.curves) shown.push_back(&curve);
    }
    std::erase_if(charts_, [](const Chart& chart) { return chart.curves.empty(); });
  }

  std::vector<Chart> charts_;
  double step_ = 0;
};

}  // namespace

std::vector<Chart> charts_of(const std::vector<json>& record) { return Charts(record).take(); }

Plot plot_of(const Chart& chart) {
  Plot plot{chart.title, "step", chart.unit, {}, true};
  for (size_t i = 0; i < chart.curves.size(); ++i) {
    const Curve& curve = chart.curves[i];
    plot.layers.push_back({curve.held_out ? PlotLayer::Mark::dashed : PlotLayer::Mark::line, curve.name,
                           thinned(curve.points, most_points), i});
  }
  return plot;
}

}  // namespace core
