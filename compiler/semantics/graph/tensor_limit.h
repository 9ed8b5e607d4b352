// How large a tensor may be: a value of one row, or a parameter.
#pragma once
#include <limits>
#include <string>

#include "compiler/semantics/graph/graph.h"

namespace semantics {

/// The most elements: 1 GiB of floats, which kernels with 32-bit indices can still reach.
constexpr int64_t most_elements = int64_t{1} << 28;

/// The number of elements, for messages.
inline std::string elements_text(const Shape& shape) {
  const int64_t elements = count(shape);
  return elements == std::numeric_limits<int64_t>::max() ? "more than 9e18" : std::to_string(elements);
}

}  // namespace semantics
