// Writes data expressions as a user writes them, for messages.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

namespace data {

/// `normalize(csv("t.csv").a, by = csv("u.csv").a) > 0.5`. If `value` is not empty, it replaces the reader,
/// and operations that only choose rows are left out: `normalize(x) > 0.5`.
std::string expression_text(const nlohmann::json& expression, const std::string& value = "");

}  // namespace data
