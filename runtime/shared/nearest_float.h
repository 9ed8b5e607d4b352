// Rounds a number of the language to the 32-bit float that represents it.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>

/// How messages describe the range of floats.
constexpr const char* float_range = "a number between -3.4e38 and 3.4e38";

/// Whether a number lies within the range of floats.
inline bool fits_float(double number) { return std::abs(number) <= std::numeric_limits<float>::max(); }

/// The nearest float. A finite number beyond the range of floats becomes the largest float of its sign:
/// `where(c, h, -1e39)` masks `h`, and nothing after it becomes NaN. Infinities and NaN stay as they are.
inline float nearest_float(double number) {
  constexpr double largest = std::numeric_limits<float>::max();
  if (!std::isfinite(number)) return static_cast<float>(number);
  return static_cast<float>(std::clamp(number, -largest, largest));
}
