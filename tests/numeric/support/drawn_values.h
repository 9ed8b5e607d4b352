// In: lines `VARIABLE ~ FAMILY(...)` of a file without players. Out: the draws of the compiled samplers,
// their log-densities as kernels compute them, and the interpreter's draws. The including test calls
// DRAWS_VALUES() once, outside of namespaces.
#pragma once
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "compiler/pipeline.h"
#include "compiler/tensor/build/build_step.h"
#include "compiler/tensor/interpret.h"
#include "runtime/core/execution/executor.h"

namespace drawn_values {

/// Called by vaert_main with the image.
inline std::function<void(const vae_image&)> inspect;

#define DRAWS_VALUES()                                                                                   \
  /* Functions that kernels call: named here, so that they are linked into the test. */                  \
  extern const void* const called_by_kernels[];                                                          \
  const void* const called_by_kernels[] = {reinterpret_cast<const void*>(&vaert_lgamma),                 \
                                           reinterpret_cast<const void*>(&vaert_log_i0),                 \
                                           reinterpret_cast<const void*>(&vaert_atan2),                  \
                                           reinterpret_cast<const void*>(&vaert_digamma),                \
                                           reinterpret_cast<const void*>(&vaert_sample_gamma_log),       \
                                           reinterpret_cast<const void*>(&vaert_power),                  \
                                           reinterpret_cast<const void*>(&vaert_sample_beta),            \
                                           reinterpret_cast<const void*>(&vaert_sample_poisson),         \
                                           reinterpret_cast<const void*>(&vaert_sample_binomial),        \
                                           reinterpret_cast<const void*>(&vaert_sample_von_mises)};      \
  extern "C" __attribute__((visibility("default"))) int vaert_main(const vae_image* image, int /*argc*/, \
                                                                   char** /*argv*/) {                    \
    drawn_values::inspect(*image);                                                                       \
    return 0;                                                                                            \
  }                                                                                                      \
  static_assert(true)

struct Case {
  std::string domain;  // with the shape: `positive[5]`
  std::string call;
};

inline void PrintTo(const Case& c, std::ostream* out) { *out << c.call << " over " << c.domain; }

struct Drawn {
  core::Variable variable;
  std::vector<float> values;       // [rows, ...]
  std::vector<float> log_density;  // one number per row
  tensor::Numbers interpreted;     // the interpreter's draws, with fewer rows
};

constexpr int64_t interpreted_rows = 50;

/// Reads the image that `text` compiles to.
inline void with_image(const std::string& text, const std::function<void(const core::Image&)>& visit) {
  inspect = [&](const vae_image& binary) { visit(core::read_image(binary)); };
  core::start_threads(1, nullptr);  // treats denormal numbers as zero, as executables do
  base::SourceSet sources;
  base::Report report(sources);
  auto image = vaec::compile({"test.vae", text, {}}, sources, report);
  if (!image) {
    ADD_FAILURE() << base::render_text(report, false);
    return;
  }
  image->run("", {"test"});  // this test defines vaert_main itself
}

/// `families`: declarations that the calls may use.
inline std::vector<Drawn> draw(const std::string& families, const std::vector<Case>& cases, int64_t rows) {
  std::string text = families, source = "source drawn weight 0 {\n";
  for (size_t i = 0; i < cases.size(); ++i) {
    text += fmt::format("var v{} : {}\n", i, cases[i].domain);
    source += fmt::format("  v{} ~ {}\n", i, cases[i].call);
  }
  const vaec::Request request{"test.vae", text + source + "}\n", {}};
  std::vector<Drawn> result(cases.size());
  base::SourceSet sources;
  base::Report report(sources);
  const auto checked = vaec::check_model(request, sources, report);
  if (!checked) {
    ADD_FAILURE() << base::render_text(report, false);
    return {};
  }
  with_image(request.text, [&](const core::Image& image) {
    core::Machine machine;
    for (size_t i = 0; i < cases.size(); ++i) {
      const core::Conditional& conditional = image.conditionals[i];
      const auto program = [&](int index) -> const core::Program& {
        return image.programs[static_cast<size_t>(index)];
      };
      const std::vector<int64_t> batch(program(conditional.draw).batches.size(), rows);
      const core::Executor sampler(image, program(conditional.draw), machine, batch);
      sampler.run(7, 3, {});
      const std::string name = fmt::format("v{}", i);
      const core::Executor::Tensor drawn = sampler.output(name);
      result[i].variable = image.variables[i];
      result[i].values.assign(drawn.data, drawn.data + drawn.elements);
      const core::Executor density(image, program(conditional.log_density), machine, batch);
      // A density that is constant has no input for the value.
      if (density.takes(name)) std::copy_n(drawn.data, drawn.elements, density.input(name).data);
      density.run(7, 3, {});
      const core::Executor::Tensor log_density = density.output("log_density");
      result[i].log_density.assign(log_density.data, log_density.data + log_density.elements);

      const tensor::Program draws =
          tensor::build_draw(checked->model, semantics::ConditionalId{static_cast<int32_t>(i)});
      tensor::Inputs inputs;
      inputs.rows.assign(draws.batches.size(), interpreted_rows);
      inputs.seed = 7;
      inputs.step = 3;
      result[i].interpreted = tensor::interpret(draws, inputs).outputs.at(name);
    }
  });
  return result;
}

/// A family whose parameters a player computes when the program runs.
struct Computed {
  std::string domain, family, fixed;
  size_t parameters;
  std::string shape;  // shape of each parameter: `[3]`
};

inline void PrintTo(const Computed& c, std::ostream* out) {
  *out << c.family << c.fixed << " over " << c.domain;
}

struct DrawnAt {
  core::Variable variable;
  std::vector<std::vector<float>> parameters;  // one entry per row
  std::vector<float> values;                   // [rows, ...]
  std::vector<float> log_density;              // one number per row
};

/// Every combination of `each` numbers from `places`.
inline std::vector<std::vector<float>> combinations(const std::vector<float>& places, size_t each) {
  std::vector<std::vector<float>> all = {{}};
  for (size_t i = 0; i < each; ++i) {
    std::vector<std::vector<float>> longer;
    for (const auto& begun : all)
      for (const float place : places) {
        longer.push_back(begun);
        longer.back().push_back(place);
      }
    all = std::move(longer);
  }
  return all;
}

/// A player for each of `cases`, and a source of all their variables.
inline std::string text_of_players(const std::vector<Computed>& cases) {
  std::string text, source = "source data {";
  for (size_t i = 0; i < cases.size(); ++i) {
    const Computed& c = cases[i];
    std::string parents, arguments;
    for (size_t k = 0; k < c.parameters; ++k) {
      const std::string name = fmt::format("t{}_{}", i, k), comma = k > 0 ? ", " : "";
      text += fmt::format("var {} : real{}\n", name, c.shape);
      source += fmt::format(" {} = npy(\"t.npy\");", name);
      parents += comma + name;
      // Only players that learn are compiled, so each argument has a parameter; it is 0 here.
      arguments += fmt::format("{}{} + parameter({})", comma, name, c.shape.empty() ? "[]" : c.shape);
    }
    text += fmt::format("var v{} : {}\nplayer p{} {{ v{} | {} ~ {}({}{}) }}\n", i, c.domain, i, i, parents,
                        c.family, arguments, c.fixed);
    source += fmt::format(" v{} = npy(\"v.npy\");", i);
  }
  return text + source + " }\nlearn symmetric { steps = 1 }\n";
}

/// Draws with every combination of `places` as the elements of the parameters; each combination has `repeats`
/// rows.
inline std::vector<DrawnAt> draw_at(const std::string& families, const std::vector<Computed>& cases,
                                    const std::vector<float>& places, size_t repeats) {
  std::vector<DrawnAt> result(cases.size());
  with_image(families + text_of_players(cases), [&](const core::Image& image) {
    core::Machine machine;
    std::vector<std::vector<float>> zeros;
    zeros.reserve(image.players.size());
    for (const core::Player& player : image.players) {
      zeros.emplace_back(static_cast<size_t>(player.elements));
      machine.parameters.push_back(zeros.back().data());
    }
    for (size_t i = 0; i < cases.size(); ++i) {
      const std::string name = fmt::format("v{}", i);
      const auto variable = std::ranges::find(image.variables, name, &core::Variable::name);
      const auto conditional = std::ranges::find_if(image.conditionals, [&](const core::Conditional& c) {
        return c.target == variable - image.variables.begin();
      });
      const auto extent = cases[i].shape.empty() ? 1 : std::stoul(cases[i].shape.substr(1));
      DrawnAt& drawn = result[i];
      drawn.variable = *variable;
      for (const auto& combination : combinations(places, cases[i].parameters * extent))
        for (size_t r = 0; r < repeats; ++r) drawn.parameters.push_back(combination);
      const std::vector<int64_t> rows = {static_cast<int64_t>(drawn.parameters.size())};
      const auto run = [&](int program, const std::vector<float>* value) {
        const core::Executor executor(image, image.programs[static_cast<size_t>(program)], machine, rows);
        for (size_t k = 0; k < cases[i].parameters; ++k) {
          const std::string parent = fmt::format("t{}_{}", i, k);
          if (!executor.takes(parent)) continue;
          float* const to = executor.input(parent).data;
          for (size_t r = 0; r < drawn.parameters.size(); ++r)
            std::copy_n(&drawn.parameters[r][k * extent], extent, to + r * extent);
        }
        if (value && executor.takes(name)) std::ranges::copy(*value, executor.input(name).data);
        executor.run(7, 3, {});
        const core::Executor::Tensor output = executor.output(value ? "log_density" : name);
        return std::vector<float>(output.data, output.data + output.elements);
      };
      drawn.values = run(conditional->draw, nullptr);
      drawn.log_density = run(conditional->log_density, &drawn.values);
    }
  });
  return result;
}

}  // namespace drawn_values
