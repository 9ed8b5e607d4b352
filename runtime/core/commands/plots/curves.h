// The charts of a run's record over its steps: the parts of a bound or the utilities, each with the results
// for it on held-out rows; the terms; the speed. No curve appears twice.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/core/commands/plots/plot.h"

namespace core {

struct Curve {
  std::string name;
  bool held_out = false;
  std::vector<PlotPoint> points;  // step, value
};

struct Chart {
  enum class Kind { progress, terms, speed };
  Kind kind = Kind::progress;
  std::string title, unit;
  std::vector<Curve> curves;
  bool is_shared = true;  // whether it means the same under every learn block
};

/// The charts of the lines of metrics.jsonl.
std::vector<Chart> charts_of(const std::vector<nlohmann::json>& record);

/// Training has solid lines, held-out rows have dashed lines.
Plot plot_of(const Chart& chart);

}  // namespace core
