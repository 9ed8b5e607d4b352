// Data expressions as a user writes them, for messages.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

namespace data {

/// `normalize(csv("t.csv").a, by = csv("u.csv").a) > 0.5`. Where `value` is not empty it stands for what a
/// reader gives, and what only chooses rows is left out: `normalize(x) > 0.5`.
std::string expression_text(const nlohmann::json& expression, const std::string& value = "");

}  // namespace data
