// A source that is never learned from, whose variable is normalized by other statistics than those of the
// sources that learn: a warning, for the players then see other values of the same thing.
#pragma once
#include "compiler/base/report.h"
#include "compiler/semantics/model.h"

namespace semantics {

/// After the sources.
void warn_of_own_statistics(const Model& model, base::Report& report);

}  // namespace semantics
