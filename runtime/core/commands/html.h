// Pieces of the pages that reports are made of: they open offline, with pictures and plots inside.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace core {

std::string html_escaped(const std::string& text);

/// The page up to its first heading, and the heading.
std::string html_beginning(const std::string& title);

/// A PNG file's bytes as an image of the page.
std::string html_picture(const std::string& description, const std::vector<uint8_t>& png);

/// The colour of line `i` of a plot, as "#0072b2".
std::string html_colour(size_t i);

struct PlotPoint {
  double step, value;
};
struct PlotLine {
  std::string name;
  std::vector<PlotPoint> points;
};
/// Lines over the steps, each in its own colour and named where there are several.
std::string html_plot(const std::vector<PlotLine>& lines);

}  // namespace core
