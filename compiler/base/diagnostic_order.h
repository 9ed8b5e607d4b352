// The order in which diagnostics are shown.
#pragma once
#include <vector>

#include "compiler/base/report.h"

namespace base {

/// In the order of file and place. Those without a place come first, and equal ones are shown once.
std::vector<const Diagnostic*> in_order(const Report& report);

}  // namespace base
