// What memory this process may have.
#pragma once
#include <cstdint>

namespace data {

/// Bytes: the least of the machine's, its control group's and its limits'.
int64_t memory_of_process();

}  // namespace data
