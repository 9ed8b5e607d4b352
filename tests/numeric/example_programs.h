// In: a program. Out: what it means, or the diagnostics as an exception.
#pragma once
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include "compiler/pipeline.h"

namespace programs {

/// examples/PATH, which may name files beside it.
inline vaec::Request example(const std::string& path) {
  const std::string file = std::string(VAEC_ROOT) + "/examples/" + path;
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return {file, text.str(), {}};
}

/// std::runtime_error with the diagnostics of a program that is refused.
inline vaec::CheckedModel check_model(const vaec::Request& request) {
  base::SourceSet sources;
  base::Report report(sources);
  auto checked = vaec::check_model(request, sources, report);
  if (!checked) throw std::runtime_error(base::render_text(report, false));
  return std::move(*checked);
}

}  // namespace programs
