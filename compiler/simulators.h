// The models from which sources of a program draw rows: `run("FILE", from = RUN)`.
#pragma once
#include <string>
#include <vector>

#include "compiler/base/report.h"
#include "compiler/semantics/model.h"

namespace vaec {

/// Only the draws of its players are compiled in.
struct Simulator {
  std::string file;  // as the program names it
  std::string path;
  std::string text;
  semantics::Model model;
};

/// Each model once. `path`: the file of the program. Errors in the models' files are reported.
std::vector<Simulator> read_simulators(const semantics::Model& model, const std::string& path,
                                       base::SourceSet& sources, base::Report& report);

}  // namespace vaec
