// What is said of a chain after it was followed: R-hat and effective sample sizes, and a warning where it has
// not mixed.
#pragma once
#include <nlohmann/json.hpp>

#include "runtime/core/conditioner.h"

namespace core {

/// {"sweeps", "left_out", "chains", "mixed", "variables": [{"variable", "r_hat", "effective", "draws",
/// "rows_apart", "mixed"}]}; r_hat is null where it cannot be told, or is infinite.
nlohmann::json chain_report(const Image& image, const Conditioner& conditioner);
/// On stdout, a line for the chain and one for each variable.
void print_chain(const nlohmann::json& report);
/// On stderr, one line; nothing where all has mixed.
void warn_of_chain(const nlohmann::json& report);

}  // namespace core
