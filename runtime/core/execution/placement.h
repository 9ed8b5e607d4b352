// Where the scratch buffers of a program lie, and in which order its instructions run. A GPU follows the plan
// of the program, if it has one; a processor takes the instructions one after the other.
#pragma once
#include <cstdint>
#include <vector>

#include "runtime/core/image.h"

namespace core {

/// Failure(bad_configuration) beyond 2^50: sums of such products do not overflow, also when they count bytes.
int64_t bounded_product(int64_t a, int64_t b);

/// The number of elements at these batches. Failure(bad_configuration) if there are more than 2^50.
int64_t elements(const std::vector<Extent>& extents, const std::vector<int64_t>& rows);

/// Where each scratch buffer begins in the program's memory, in floats.
struct Places {
  std::vector<int64_t> starts;  // by buffer; 0 if it is not scratch memory
  int64_t total = 0;
};
Places places_of(const Program& program, const std::vector<int64_t>& rows, bool on_device);

/// The instructions in the order in which they run; those of one list run in one launch.
std::vector<std::vector<int>> order_of(const Program& program, bool on_device);

}  // namespace core
