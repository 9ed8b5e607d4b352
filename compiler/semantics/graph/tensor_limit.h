// How large a tensor may be: a value of one row, or a parameter.
#pragma once
#include <fmt/format.h>

#include <limits>
#include <string>

#include "compiler/semantics/graph/graph.h"

namespace semantics {

/// The most elements: 1 GiB of floats, which kernels with 32-bit indices can still reach.
constexpr int64_t most_elements = int64_t{1} << 28;

/// "`h + b` has 10000000000 elements, [100000, 100000]; a tensor has at most 268435456".
inline std::string too_large(const std::string& name, const Shape& shape) {
  const int64_t elements = count(shape);
  const std::string number =
      elements == std::numeric_limits<int64_t>::max() ? "more than 9e18" : fmt::format("{}", elements);
  return fmt::format("{} has {} elements, {}; a tensor has at most {}", name, number, to_string(shape),
                     most_elements);
}

}  // namespace semantics
