// A report on a chain that was run: R-hat and effective sample sizes, and a warning if the chain has not
// converged.
#pragma once
#include <nlohmann/json.hpp>

#include "runtime/core/inference/conditioner.h"

namespace core {

/// {"sweeps", "left_out", "chains", "mixed", "variables": [{"variable", "r_hat", "effective", "draws",
/// "rows_apart", "mixed"}]}; r_hat is null if it is infinite or cannot be computed.
nlohmann::json chain_report(const Image& image, const Conditioner& conditioner);
/// Prints to stdout: one line for the chain and one for each variable.
void print_chain(const nlohmann::json& report);
/// Prints one line to stderr; nothing if all variables have converged.
void warn_of_chain(const nlohmann::json& report);

}  // namespace core
