// Warns if a source that is never learned from normalizes a variable by other statistics than the learning
// sources do: the players would then see different values for the same thing.
#pragma once
#include "compiler/base/report.h"
#include "compiler/semantics/model.h"

namespace semantics {

/// Called after the sources.
void warn_of_own_statistics(const Model& model, base::Report& report);

}  // namespace semantics
