// Whether numbers are finite.
#pragma once
#include <cmath>
#include <span>

namespace core {

/// "not a number" or "infinite", according to the first value that is not finite; "" if all values are
/// finite.
inline const char* not_finite(std::span<const float> values) {
  for (const float value : values)
    if (!std::isfinite(value)) return std::isnan(value) ? "not a number" : "infinite";
  return "";
}

}  // namespace core
