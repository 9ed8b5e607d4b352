// The values of a setting that was varied, as the horizontal axis of a plot.
#pragma once
#include <string>
#include <utility>
#include <vector>

namespace core {

/// Whether all values are numbers as the language writes them; `_` may be between digits.
bool are_numbers(const std::vector<std::string>& values);

/// The position of each value, in the order of `values`, with its text. Numbers are placed by size. Their
/// axis is logarithmic if they are positive and the largest is at least 20 times the smallest. Other values
/// are placed evenly.
std::vector<std::pair<double, std::string>> places_of(const std::vector<std::string>& values);

}  // namespace core
