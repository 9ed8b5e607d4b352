#include "compiler/base/report.h"

#include <algorithm>
#include <array>

namespace base {

namespace {
constexpr std::array table{
#define DIAGNOSTIC(code, severity, text) CodeInfo{#code, Severity::severity, text},
#include "compiler/base/diagnostics.def"
#undef DIAGNOSTIC
};
}  // namespace

const CodeInfo& info(Code code) { return table[static_cast<size_t>(code)]; }

Diagnostic& Report::add(Diagnostic diagnostic) {
  diagnostics_.push_back(std::move(diagnostic));
  return diagnostics_.back();
}

void Report::forget_after(size_t count) {
  if (count < diagnostics_.size())
    diagnostics_.erase(diagnostics_.begin() + static_cast<std::ptrdiff_t>(count), diagnostics_.end());
}

bool Report::has_errors() const {
  return std::any_of(diagnostics_.begin(), diagnostics_.end(), [](const Diagnostic& diagnostic) {
    return info(diagnostic.code).severity == Severity::error;
  });
}

}  // namespace base
