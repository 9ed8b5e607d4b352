// Plots for pages that open offline, and for pictures: axes with names and ticks; layers of lines, areas and
// dots; a legend. The margins adapt to the length of the labels. Labels that are still too long are cut.
#pragma once
#include <string>
#include <utility>
#include <vector>

namespace core {

struct PlotPoint {
  double x = 0, y = 0;
  double spread = 0;  // for Mark::whiskers: how far they reach up and down
};

struct PlotLayer {
  enum class Mark { line, dashed, area, dots, whiskers };
  Mark mark = Mark::line;
  std::string name;               // in the legend; empty: not shown there
  std::vector<PlotPoint> points;  // for an area: its outline. A point that is not finite breaks the line
  size_t colour = 0;              // 0, 1, 2, ...: also people who see few colours can tell them apart
};

struct Plot {
  std::string title, x_name, y_name;
  std::vector<PlotLayer> layers;
  bool whole_steps = false;                              // x counts steps, from 0 on
  std::vector<std::pair<double, std::string>> x_labels;  // in place of numeric ticks
};

/// Where the marks and labels of a plot are, in pixels from its upper left corner.
class PlotFrame {
 public:
  PlotFrame(const Plot& plot, double width, double height, double letter);

  bool is_empty() const;
  double x_at(double value) const;
  double y_at(double value) const;
  double left = 0, right = 0, top = 0, bottom = 0;               // the rectangle inside the axes
  std::vector<std::pair<double, std::string>> x_ticks, y_ticks;  // values and their texts
  /// Whether the texts of x_ticks are slanted, because they are long
  bool slanted = false;

 private:
  struct Range {
    void add(double value);
    void widen();
    double low, high;
  };
  Range x_, y_;
};

/// The plot as a figure for a page; empty if there is nothing to show.
std::string html_plot(const Plot& plot);

/// At most `count` points: neighbours are replaced by their means.
std::vector<PlotPoint> thinned(const std::vector<PlotPoint>& points, size_t count);

/// The points of a histogram's outline: `bins` bins from `low` to `high`, as shares of the finite values.
std::vector<PlotPoint> histogram(const std::vector<double>& values, double low, double high, size_t bins);

/// The colour as CSS, "#0072b2".
const char* plot_colour(size_t index);

}  // namespace core
