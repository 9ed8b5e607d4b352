// The compiler on one page: text to tree to model to game to tensor programs to an image of kernels. In: a
// request. Out: each stage's result, or none where the report has errors.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/base/report.h"
#include "compiler/game/game.h"
#include "compiler/game/missing.h"
#include "compiler/learn_flags.h"
#include "compiler/lower/image.h"
#include "compiler/semantics/model.h"
#include "compiler/semantics/observations.h"

namespace vaec {

struct Request {
  std::string path;  // as the user wrote it
  std::string text;
  std::vector<std::pair<std::string, std::string>> defines;  // -D name=value, in order
  lower::Target target = lower::Target::cpu;
  LearnFlags learn_flags = {};
  semantics::Observations* observed = nullptr;  // of the file's names, for editors
  std::string built_in = {};  // where the executable is put (lower::Origin); empty where there is none
};

/// A model that a source draws rows from: `run("FILE", from = RUN)`. Its players' draws alone are compiled
/// in.
struct Simulator {
  std::string file;  // as the program names it
  std::string path;
  std::string text;
  semantics::Model model;
};

struct CheckedModel {
  semantics::Model model;
  game::Game game;
  std::optional<game::MissingGame> missing;  // of rows with missing values
  std::vector<Simulator> simulators;
};

/// What the file means.
std::optional<CheckedModel> check_model(const Request& request, base::SourceSet& sources,
                                        base::Report& report);

/// As what is built has it: beta, alpha and free_bits are read from coefficients, so that flags may change
/// them.
CheckedModel with_numbers_read_when_training(CheckedModel checked);

/// Every program that an executable of this model has, scheduled.
lower::Programs build_programs(const CheckedModel& checked);

/// The image that `build` links and `run` runs. Throws std::runtime_error where this vaec has not got what
/// the program needs on its target.
lower::Image make_image(const CheckedModel& checked, const Request& request);
std::optional<lower::Image> compile(const Request& request, base::SourceSet& sources, base::Report& report);

/// One stage's result as text (object: as bytes): syntax, model, game, tensor, llvm, asm or object. `after`
/// names a pass whose programs stage `tensor` prints, instead of the schedules.
extern const std::vector<std::string> stages;
std::optional<std::string> print_stage(const std::string& stage, const std::string& after,
                                       const Request& request, base::SourceSet& sources,
                                       base::Report& report);

}  // namespace vaec
