// In: a family and rows of values and parameters. Out: what compiled kernels make of them in float, by the
// programs that executables run: log-densities, and gradients of a learning step.
#pragma once
#include <fmt/format.h>

#include <string>
#include <vector>

#include "tests/numeric/backend_under_test.h"
#include "tests/numeric/compiled_programs.h"

namespace family_kernels {

using Row = std::vector<float>;  // x, then the parameters

inline core::Machine machine_of(std::vector<float>& parameters, const float& coefficient) {
  core::Machine machine;
  machine.heavy = backend_under_test();
  machine.heavy->set_threads(1);
  machine.threads = 1;
  machine.parameters = {parameters.data()};
  machine.coefficients = &coefficient;
  return machine;
}

/// The log-density of each row of `x | t1, t2 ~ CALL`, by the executable's own program.
inline std::vector<float> log_densities(const std::string& domain, const std::string& declarations,
                                        const std::string& family, const std::string& fixed,
                                        const std::vector<Row>& rows) {
  std::string names, arguments, text = declarations + "\nvar x : " + domain + "\n";
  for (size_t i = 1; i < rows[0].size(); ++i) {
    names += fmt::format("{}t{}", i > 1 ? ", " : "", i);
    // Only a player that learns is compiled: its parameters are 0 here.
    arguments += fmt::format("{}t{} + parameter([])", i > 1 ? ", " : "", i);
    text += fmt::format("var t{} : real\n", i);
  }
  text += "source data { x = npy(\"x.npy\")";
  for (size_t i = 1; i < rows[0].size(); ++i) text += fmt::format("; t{} = npy(\"t.npy\")", i);
  text += fmt::format(" }}\ndecoder p {{ x | {} ~ {}({}{}) }}\nlearn symmetric {{ steps = 1 }}\n", names,
                      family, arguments, fixed);
  std::vector<float> result(rows.size());
  compiled::with_image({"test.vae", text, {}}, [&](const core::Image& image) {
    const auto& conditional = *std::ranges::find_if(
        image.conditionals, [](const core::Conditional& c) { return c.player == 0 && c.log_density >= 0; });
    const core::Program& program = image.programs[static_cast<size_t>(conditional.log_density)];
    std::vector<float> none(static_cast<size_t>(image.players[0].elements));
    const float coefficient = 1;
    const core::Machine machine = machine_of(none, coefficient);
    const core::Executor executor(image, program, machine, {static_cast<int64_t>(rows.size())});
    for (size_t i = 0; i < rows[0].size(); ++i) {
      const auto input = executor.input(i == 0 ? "x" : fmt::format("t{}", i));
      for (size_t r = 0; r < rows.size(); ++r) input.data[r] = rows[r][i];
    }
    executor.run(1, 1, {});
    std::copy_n(executor.output("log_density").data, rows.size(), result.begin());
  });
  return result;
}

/// d log p / d parameter of each row, by a learning step over one row of as many elements.
inline std::vector<std::vector<float>> gradients(const std::string& domain, const std::string& family,
                                                 const std::string& fixed, const std::vector<Row>& rows,
                                                 const std::string& declarations = "") {
  std::string parameters;
  for (size_t i = 1; i < rows[0].size(); ++i)
    parameters += fmt::format("{}parameter([{}])", i > 1 ? ", " : "", rows.size());
  const std::string text = fmt::format(
      "{}\nvar x : {}[{}]\nsource data {{ x = npy(\"x.npy\") }}\nplayer p {{ x ~ {}({}{}) }}\n"
      "learn symmetric {{ steps = 1 }}\n",
      declarations, domain, rows.size(), family, parameters, fixed);
  std::vector<std::vector<float>> result(rows[0].size() - 1);
  compiled::with_image({"test.vae", text, {}}, [&](const core::Image& image) {
    const core::Player& player = image.players[0];
    std::vector<float> values(static_cast<size_t>(player.elements));
    for (size_t i = 0; i < player.parameters.size(); ++i)
      for (size_t r = 0; r < rows.size(); ++r)
        values[static_cast<size_t>(player.parameters[i].offset) + r] = rows[r][i + 1];
    const float coefficient = 1;
    const auto& phase = image.learns[0].alternating[0];
    const core::Machine machine = machine_of(values, coefficient);
    const core::Executor executor(image, image.programs[static_cast<size_t>(phase.program)], machine, {1});
    core::Hooks hooks;
    hooks.gather = [&](int, int, int64_t, float* to) {
      for (size_t r = 0; r < rows.size(); ++r) to[r] = rows[r][0];
    };
    hooks.update = [&](int, const float* gradient) {
      for (size_t i = 0; i < result.size(); ++i) {
        const float* own = gradient + player.parameters[i].offset;
        result[i].assign(own, own + rows.size());
      }
    };
    executor.run(1, 1, hooks);
  });
  return result;
}

}  // namespace family_kernels
