// The compiler on one page: text, tree, model, game, tensor programs, image of kernels. In: a request. Out:
// the result of each stage; none if the report has errors.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/base/report.h"
#include "compiler/commands/learn_flags.h"
#include "compiler/game/game.h"
#include "compiler/game/rows/missing.h"
#include "compiler/lower/image/image.h"
#include "compiler/semantics/model.h"
#include "compiler/semantics/observations.h"
#include "compiler/simulators.h"

namespace vaec {

struct Request {
  std::string path;  // as the user wrote it
  std::string text;
  std::vector<std::pair<std::string, std::string>> defines;  // -D name=value, in order
  lower::Target target = lower::Target::cpu;
  LearnFlags learn_flags = {};
  /// Receives what is observed about the file's names, for editors.
  semantics::Observations* observed = nullptr;
  std::string built_in = {};  // where the executable is put (lower::Origin), or empty
};

struct CheckedModel {
  semantics::Model model;
  game::Game game;
  std::optional<game::MissingGame> missing;  // for rows with missing values
  std::vector<Simulator> simulators;
};

/// Parses and analyses the file, and derives its game.
std::optional<CheckedModel> check_model(const Request& request, base::SourceSet& sources,
                                        base::Report& report);

/// The model as executables have it: flags may change beta, alpha and free_bits, so programs read these
/// numbers while they train.
CheckedModel for_executable(CheckedModel checked);

/// Every program of this model's executable, as a kernel program.
lower::Programs build_programs(const CheckedModel& checked, const tensor::Trace& trace = {},
                               lower::Target target = lower::Target::cpu);

/// The image that `build` links and `run` runs. Throws std::runtime_error if this vaec does not have what the
/// program needs on its target.
lower::Image make_image(const CheckedModel& checked, const Request& request);
std::optional<lower::Image> compile(const Request& request, base::SourceSet& sources, base::Report& report);

}  // namespace vaec
