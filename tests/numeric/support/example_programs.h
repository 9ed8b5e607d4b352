// In: a program. Out: its checked model, or its diagnostics as an exception.
#pragma once
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include "compiler/pipeline.h"

namespace programs {

/// The program examples/PATH, which may name files in its folder.
inline vaec::Request example(const std::string& path) {
  const std::string file = std::string(VAEC_ROOT) + "/examples/" + path;
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return {file, text.str(), {}};
}

/// Throws std::runtime_error with the diagnostics if the program is refused.
inline vaec::CheckedModel check_model(const vaec::Request& request) {
  base::SourceSet sources;
  base::Report report(sources);
  auto checked = vaec::check_model(request, sources, report);
  if (!checked) throw std::runtime_error(base::render_text(report, false));
  return std::move(*checked);
}

}  // namespace programs
