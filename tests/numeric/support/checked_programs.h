// In: a model's text. Out: what is wrong with its programs, if anything. Each program is interpreted in
// double precision as it was built, after every pass, and as a kernel program, each time on the same made-up
// numbers.
#pragma once
#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "compiler/game/supervised.h"
#include "compiler/pipeline.h"
#include "compiler/tensor/build/build_bound.h"
#include "compiler/tensor/build/build_step.h"
#include "compiler/tensor/interpret.h"
#include "compiler/tensor/passes.h"

namespace checked_programs {

using Wrong = std::optional<std::string>;

struct Reading {
  std::optional<vaec::CheckedModel> model;
  std::string refusal;  // the diagnostics, if there is no model
};

inline Reading read_program(const std::string& text) {
  base::SourceSet sources;
  base::Report report(sources);
  auto model = vaec::check_model({"random.vae", text, {}, lower::Target::cpu}, sources, report);
  return {std::move(model), render_text(report, false)};
}

/// The steps of the first learn block, and the means and densities of all conditionals.
inline std::vector<tensor::Program> built_programs(const vaec::CheckedModel& checked) {
  const semantics::Model& model = checked.model;
  const semantics::Learn& learn = model.learns.at(0);
  std::vector<tensor::Program> programs;
  const auto add = [&](std::vector<tensor::Phase> phases) {
    for (tensor::Phase& phase : phases) programs.push_back(std::move(phase.program));
  };
  if (learn.method == "symmetric" || learn.method == "supervised") {
    const game::Game game =
        learn.method == "supervised" ? game::supervised(model, checked.game) : checked.game;
    add(tensor::build_phases(model, game, learn, false));
    add(tensor::build_phases(model, game, learn, true));
  } else {
    add(tensor::build_bound_phases({model, checked.game.graph}, checked.game.bounds.at(0), learn));
  }
  for (size_t c = 0; c < model.conditionals.size(); ++c) {
    const semantics::ConditionalId conditional{static_cast<int32_t>(c)};
    if (auto mean = tensor::build_mean(model, conditional)) programs.push_back(std::move(*mean));
    programs.push_back(tensor::build_log_density(model, conditional));
  }
  return programs;
}

/// Inputs for everything that the program reads; `rows` is the batch size of a source.
inline tensor::Inputs inputs_for(const vaec::CheckedModel& checked, const tensor::Program& program,
                                 int64_t rows) {
  std::mt19937 generator(7);
  std::normal_distribution<double> normal(0, 1);
  const auto numbers = [&](int64_t count, double scale) {
    tensor::Numbers result(static_cast<size_t>(count));
    for (double& number : result) number = scale * normal(generator);
    return result;
  };
  tensor::Inputs inputs;
  inputs.seed = 11, inputs.step = 3;
  const semantics::Model& model = checked.model;
  for (size_t p = 0; p < model.players.size(); ++p)
    inputs.parameters.push_back(
        numbers(tensor::parameter_layout(model, {static_cast<int32_t>(p)}).elements, 0.3));
  for (int s = 0; s < model.first_free_coefficient(); ++s)
    inputs.coefficients.push_back(0.25 + static_cast<double>(s));
  for (const tensor::BatchClass& batch : program.batches) inputs.rows.push_back(rows * batch.times);
  for (const tensor::Value& value : program.values) {
    if (value.op == tensor::Op::column)
      inputs.columns.try_emplace({value.index, static_cast<int>(value.ints[0])},
                                 numbers(tensor::count(value.shape, inputs.rows), 1));
    if (value.op == tensor::Op::input)
      inputs.values.try_emplace(value.name, numbers(tensor::count(value.shape, inputs.rows), 1));
  }
  return inputs;
}

inline Wrong difference(const tensor::Numbers& a, const tensor::Numbers& b, const std::string& what) {
  if (a.size() != b.size()) return what + ": sizes differ";
  double scale = 1e-3;
  for (const double number : a) scale = std::max(scale, std::abs(number));
  for (size_t i = 0; i < a.size(); ++i)
    if (!(std::abs(a[i] - b[i]) <= 1e-8 * scale))
      return fmt::format("{} at {}: {} is now {} (of {})", what, i, a[i], b[i], scale);
  return {};
}

inline Wrong difference(const tensor::Results& a, const tensor::Results& b, const std::string& what) {
  for (const auto& [name, numbers] : a.outputs)
    if (auto wrong = difference(numbers, b.outputs.at(name), what + ", " + name)) return wrong;
  for (const auto& [player, numbers] : a.gradients)
    if (auto wrong =
            difference(numbers, b.gradients.at(player), fmt::format("{}, gradient of {}", what, player)))
      return wrong;
  return {};
}

/// Checks a program after each pass, and as a kernel program, against its results before.
inline Wrong check(const tensor::Program& built, const tensor::Inputs& inputs) {
  std::optional<tensor::Results> before;
  Wrong wrong;
  const auto trace = [&](const char* pass, const tensor::AnyProgram& program) {
    if (wrong) return;
    const tensor::Results after =
        std::visit([&](const auto& form) { return tensor::interpret(form, inputs); }, program);
    // `differentiate` computes the gradients, so there are none before it to compare with.
    if (before && pass == std::string("differentiate")) before->gradients.clear();
    if (before) wrong = difference(*before, after, fmt::format("{} after {}", built.name, pass));
    before = after;
  };
  tensor::make_kernel_program(built, trace);
  return wrong;
}

/// The first fault that `check_one` finds in a program of the model, or the compiler's refusal.
template <class Check>
Wrong for_each_program(const std::string& text, int64_t rows, const Check& check_one) {
  try {
    const Reading reading = read_program(text);
    if (!reading.model) return "refused: " + reading.refusal;
    for (const tensor::Program& program : built_programs(*reading.model))
      if (auto wrong = check_one(program, inputs_for(*reading.model, program, rows))) return wrong;
    return {};
  } catch (const std::exception& error) {
    return std::string("internal error: ") + error.what();
  }
}

inline Wrong check_text(const std::string& text, int64_t rows) { return for_each_program(text, rows, check); }

}  // namespace checked_programs
