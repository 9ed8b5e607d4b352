// The results of `evaluate` as lines of text.
#pragma once
#include <nlohmann/json.hpp>

namespace core {

/// Prints one of the results to stdout.
void print_result(const nlohmann::json& result);

}  // namespace core
