// How much memory this process may use.
#pragma once
#include <cstdint>

namespace data {

/// In bytes: the smallest of the machine's memory, the control group's limit and the process's own limits.
int64_t memory_of_process();

}  // namespace data
