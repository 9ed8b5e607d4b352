// Prints diagnostics on stderr: as text, with colours if the terminal has them, or as JSON lines.
#pragma once
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "compiler/base/report.h"

namespace vaec {

inline void print_report(const base::Report& report, bool json) {
  if (json) {
    std::cerr << base::render_json(report);
    return;
  }
  const bool colour = isatty(STDERR_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  std::cerr << base::render_text(report, colour);
}

}  // namespace vaec
