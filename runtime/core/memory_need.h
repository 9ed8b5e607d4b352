// Large amounts of memory are asked for by name, so that the message says which key wants too much.
#pragma once
#include <string>

namespace core {

/// Failure(bad_configuration) where `who` ("--n 1000") needs more bytes than this process may have.
void require_memory(const std::string& who, double bytes);

}  // namespace core
