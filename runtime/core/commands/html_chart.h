// A plot of means with their spread over the values of what was varied.
#pragma once
#include <string>
#include <vector>

namespace core {

struct ChartPoint {
  std::string value;  // on the horizontal axis
  double mean, deviation;
};
struct ChartLine {
  std::string name;
  std::vector<ChartPoint> points;
};

/// As the language writes them: with `_` between digits, if so.
bool are_numbers(const std::vector<std::string>& values);

/// `values` in the order of the axis. Where all are numbers, they are placed by size: on a logarithmic axis
/// if they are positive and the largest is at least 20 times the smallest; other values are placed evenly.
std::string html_chart(const std::string& axis, const std::vector<std::string>& values,
                       const std::vector<ChartLine>& lines);

}  // namespace core
