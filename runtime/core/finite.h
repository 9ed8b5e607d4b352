// Whether numbers are finite.
#pragma once
#include <cmath>
#include <span>

namespace core {

/// "not a number" or "infinite", as the first value is that is not finite; else empty.
inline const char* not_finite(std::span<const float> values) {
  for (const float value : values)
    if (!std::isfinite(value)) return std::isnan(value) ? "not a number" : "infinite";
  return "";
}

}  // namespace core
