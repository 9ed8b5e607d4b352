// In: a family, and rows of values and parameters. Out: the log-densities of compiled kernels in float, and
// the gradients of a learning step, computed by the programs that executables run.
#pragma once
#include <fmt/format.h>

#include <string>
#include <vector>

#include "tests/numeric/support/backend_under_test.h"
#include "tests/numeric/support/compiled_programs.h"

namespace family_kernels {

using Row = std::vector<float>;  // x, then the parameters

/// For a family over `category(K)` or `simplex(K)`, x and each parameter are vectors of length K.
struct Family {
  std::string name, domain, fixed;
  std::string declarations;
  size_t extent = 1;  // K, or 1 for other domains
  std::string shape() const { return extent > 1 ? fmt::format("[{}]", extent) : "[]"; }
};

inline core::Machine machine_of(std::vector<float>& parameters, const float& coefficient) {
  core::Machine machine;
  machine.library = backend_under_test();
  machine.library->set_threads(1);
  machine.threads = 1;
  machine.parameters = {parameters.data()};
  machine.coefficients = &coefficient;
  return machine;
}

/// The log-density of each row of `x | t1, t2 ~ CALL`, computed by the executable's program.
inline std::vector<float> log_densities(const Family& family, const std::vector<Row>& rows) {
  const size_t extent = family.extent, parts = rows[0].size() / extent;
  std::string names, arguments, text = family.declarations + "\nvar x : " + family.domain + "\n";
  std::string source = "source data { x = npy(\"x.npy\")";
  for (size_t i = 1; i < parts; ++i) {
    const std::string comma = i > 1 ? ", " : "";
    names += fmt::format("{}t{}", comma, i);
    // Only players that learn are compiled, so each argument has a parameter; it is 0 here.
    arguments += fmt::format("{}t{} + parameter({})", comma, i, family.shape());
    text += fmt::format("var t{} : real{}\n", i, extent > 1 ? family.shape() : "");
    source += fmt::format("; t{} = npy(\"t.npy\")", i);
  }
  text += source + fmt::format(" }}\ndecoder p {{ x | {} ~ {}({}{}) }}\nlearn symmetric {{ steps = 1 }}\n",
                               names, family.name, arguments, family.fixed);
  std::vector<float> result(rows.size());
  compiled::with_image({"test.vae", text, {}}, [&](const core::Image& image) {
    const auto& conditional = *std::ranges::find_if(
        image.conditionals, [](const core::Conditional& c) { return c.player == 0 && c.log_density >= 0; });
    const core::Program& program = image.programs[static_cast<size_t>(conditional.log_density)];
    std::vector<float> none(static_cast<size_t>(image.players[0].elements));
    const float coefficient = 1;
    const core::Machine machine = machine_of(none, coefficient);
    const core::Executor executor(image, program, machine, {static_cast<int64_t>(rows.size())});
    for (size_t i = 0; i < parts; ++i) {
      float* const to = executor.input(i == 0 ? "x" : fmt::format("t{}", i)).data;
      for (size_t r = 0; r < rows.size(); ++r) std::copy_n(&rows[r][i * extent], extent, to + r * extent);
    }
    executor.run(1, 1, {});
    std::copy_n(executor.output("log_density").data, rows.size(), result.begin());
  });
  return result;
}

/// d log p / d parameter for each of `rows`, computed by a learning step on one row with as many positions.
/// The result has one entry per element of the parameters, with a number for each row.
inline std::vector<std::vector<float>> gradients(const Family& family, const std::vector<Row>& rows) {
  const size_t extent = family.extent, parts = rows[0].size() / extent;
  std::string arguments;
  for (size_t i = 1; i < parts; ++i)
    arguments += fmt::format("{}parameter([{}{}])", i > 1 ? ", " : "",
                             extent > 1 ? fmt::format("{}, ", extent) : "", rows.size());
  const std::string text = fmt::format(
      "{}\nvar x : {}[{}]\nsource data {{ x = npy(\"x.npy\") }}\nplayer p {{ x ~ {}({}{}) }}\n"
      "learn symmetric {{ steps = 1 }}\n",
      family.declarations, family.domain, rows.size(), family.name, arguments, family.fixed);
  std::vector<std::vector<float>> result((parts - 1) * extent);
  compiled::with_image({"test.vae", text, {}}, [&](const core::Image& image) {
    const core::Player& player = image.players[0];
    const auto place = [&](size_t element) {
      return static_cast<size_t>(player.parameters[element / extent].offset) + element % extent * rows.size();
    };
    std::vector<float> values(static_cast<size_t>(player.elements));
    for (size_t i = 0; i < result.size(); ++i)
      for (size_t r = 0; r < rows.size(); ++r) values[place(i) + r] = rows[r][extent + i];
    const float coefficient = 1;
    const auto& phase = image.learns[0].alternating[0];
    const core::Machine machine = machine_of(values, coefficient);
    const core::Executor executor(image, image.programs[static_cast<size_t>(phase.program)], machine, {1});
    core::Hooks hooks;
    hooks.gather = [&](int, int, int64_t, float* to) {
      for (size_t k = 0; k < extent; ++k)
        for (size_t r = 0; r < rows.size(); ++r) *to++ = rows[r][k];
    };
    hooks.update = [&](int, const float* gradient) {
      for (size_t i = 0; i < result.size(); ++i)
        result[i].assign(gradient + place(i), gradient + place(i) + rows.size());
    };
    executor.run(1, 1, hooks);
  });
  return result;
}

/// KL(q || p) for rows of q's and p's parameters, in an evidence bound whose likelihood is exactly 1; and the
/// gradient of the bound in q's parameters. With `reparam` it is minus the gradient of KL; with `score` it
/// also has noise.
struct Divergences {
  std::vector<float> value;
  std::vector<std::vector<float>> gradient;
};

inline Divergences divergences(const Family& family, const std::vector<Row>& rows,
                               const std::string& estimator = "score") {
  const size_t extent = family.extent, each = rows[0].size() / 2;
  std::string own, other;
  for (size_t i = 0; i < each / extent; ++i) {
    const std::string argument = fmt::format("{}parameter({})", i > 0 ? ", " : "", family.shape());
    own += i == 0 ? "x - 1 + " + argument : argument;
    other += argument;
  }
  const std::string text = fmt::format(
      R"({0}
var z : {1}
var x : binary
source data {{ x = npy("x.npy") }}
encoder q {{ z | x ~ {2}({3}{5}) }}
decoder p {{ z ~ {2}({4}{5}); x | z ~ Bernoulli(200 + parameter([]) * {6}) }}
learn elbo {{ steps = 1; estimator = {7}; analytic_kl = true }}
)",
      family.declarations, family.domain, family.name, own, other, family.fixed, extent > 1 ? "z[0]" : "z",
      estimator);
  Divergences result;
  compiled::with_image({"test.vae", text, {}}, [&](const core::Image& image) {
    const auto& phase = image.learns[0].alternating[0];
    for (const Row& row : rows) {
      std::vector<std::vector<float>> values;
      values.reserve(image.players.size());
      core::Machine machine;
      machine.library = backend_under_test();
      machine.threads = 1;
      for (size_t i = 0; i < 2; ++i) {
        std::vector<float>& flat = values.emplace_back(static_cast<size_t>(image.players[i].elements));
        for (size_t k = 0; k < each; ++k)
          flat[static_cast<size_t>(image.players[i].parameters[k / extent].offset) + k % extent] =
              row[i * each + k];
        machine.parameters.push_back(flat.data());
      }
      std::vector<float> coefficients(static_cast<size_t>(image.coefficients), 1);
      machine.coefficients = coefficients.data();
      const core::Executor executor(image, image.programs[static_cast<size_t>(phase.program)], machine, {1});
      core::Hooks hooks;
      hooks.gather = [](int, int, int64_t, float* to) { to[0] = 1; };
      hooks.update = [&](int player, const float* gradient) {
        if (player != 0) return;
        std::vector<float>& of_q = result.gradient.emplace_back();
        for (size_t k = 0; k < each; ++k)
          of_q.push_back(gradient[image.players[0].parameters[k / extent].offset + k % extent]);
      };
      executor.run(1, 1, hooks);
      for (const auto& [name, output] : executor.outputs())
        if (name.starts_with("kl.")) result.value.push_back(output.data[0]);
    }
  });
  return result;
}

}  // namespace family_kernels
