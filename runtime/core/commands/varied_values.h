// The values of what was varied, as the horizontal axis of a plot.
#pragma once
#include <string>
#include <utility>
#include <vector>

namespace core {

/// As the language writes them: with `_` between digits, if so.
bool are_numbers(const std::vector<std::string>& values);

/// Where each value stands, in the order of `values`, with its text. Numbers are placed by size: on a
/// logarithmic axis if they are positive and the largest is at least 20 times the smallest; other values are
/// placed evenly.
std::vector<std::pair<double, std::string>> places_of(const std::vector<std::string>& values);

}  // namespace core
