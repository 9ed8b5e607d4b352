// What `evaluate` measured, as lines of text.
#pragma once
#include <nlohmann/json.hpp>

namespace core {

/// On stdout: one of the results that the measures give.
void print_result(const nlohmann::json& result);

}  // namespace core
