// What a run's record shows over its steps, in charts: the parts of a bound or the utilities, each with what
// was found of it on held-out rows; the terms; the speed. No curve stands there twice.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/core/commands/plot.h"

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
  bool is_shared = true;  // it means the same under every learn block
};

/// Of the lines of metrics.jsonl.
std::vector<Chart> charts_of(const std::vector<nlohmann::json>& record);

/// Training in whole lines, held-out rows in dashed ones.
Plot plot_of(const Chart& chart);

}  // namespace core
