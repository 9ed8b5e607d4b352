// Checks large requests for memory by name, so that the message says which key needs too much.
#pragma once
#include <string>

#include "runtime/core/machine/machine.h"

namespace core {

/// Failure(bad_configuration) if `who`, such as "--n 1000", needs more bytes than this process may have.
void require_memory(const std::string& who, double bytes);
/// The same for memory of the machine. A GPU's memory is checked when it is allocated.
void require_memory(const Machine& machine, const std::string& who, double bytes);

}  // namespace core
