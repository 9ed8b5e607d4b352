// The order in which diagnostics are shown.
#pragma once
#include <vector>

#include "compiler/base/report.h"

namespace base {

/// In order of file and place, those without a place first; equal ones once.
std::vector<const Diagnostic*> in_order(const Report& report);

}  // namespace base
