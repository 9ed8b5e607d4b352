// Plots for pages that open offline and for pictures: axes with names and ticks, layers of lines, areas and
// dots, and a legend. Labels are never cut: the margins follow their length.
#pragma once
#include <string>
#include <utility>
#include <vector>

namespace core {

struct PlotPoint {
  double x = 0, y = 0;
  double spread = 0;  // of Mark::whiskers: how far they reach up and down
};

struct PlotLayer {
  enum class Mark { line, dashed, area, dots, whiskers };
  Mark mark = Mark::line;
  std::string name;               // in the legend; empty: not there
  std::vector<PlotPoint> points;  // of an area: around it. Where one is not finite, the line is broken
  size_t colour = 0;              // 0, 1, 2, ...: told apart, also by those who see few colours
};

struct Plot {
  std::string title, x_name, y_name;
  std::vector<PlotLayer> layers;
  bool whole_steps = false;                              // x counts steps, from 0 on
  std::vector<std::pair<double, std::string>> x_labels;  // in place of ticks
};

/// Where the marks and labels of a plot lie, in pixels from its upper left corner.
class PlotFrame {
 public:
  PlotFrame(const Plot& plot, double width, double height, double letter);

  bool is_empty() const;
  double x_at(double value) const;
  double y_at(double value) const;
  double left = 0, right = 0, top = 0, bottom = 0;               // of the rectangle inside the axes
  std::vector<std::pair<double, std::string>> x_ticks, y_ticks;  // values and their texts
  bool slanted = false;                                          // the texts of x_ticks: they are long

 private:
  struct Range {
    void add(double value);
    void widen();
    double low, high;
  };
  Range x_, y_;
};

/// A figure of the page; empty where there is nothing to show.
std::string html_plot(const Plot& plot);

/// At most `count` points: neighbours are joined to their means.
std::vector<PlotPoint> thinned(const std::vector<PlotPoint>& points, size_t count);

/// The points of a histogram's outline, of `bins` bins from `low` to `high`: shares of the values that are
/// finite.
std::vector<PlotPoint> histogram(const std::vector<double>& values, double low, double high, size_t bins);

/// The colour as CSS, "#0072b2".
const char* plot_colour(size_t index);

}  // namespace core
