// Checks large requests for memory by name, so that the message says which key needs too much.
#pragma once
#include <string>

namespace core {

/// Failure(bad_configuration) if `who`, such as "--n 1000", needs more bytes than this process may have.
void require_memory(const std::string& who, double bytes);

}  // namespace core
