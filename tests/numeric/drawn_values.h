// In: `VARIABLE ~ FAMILY(...)` lines of a file without players. Out: what the compiled samplers draw for
// each, their log-densities as kernels compute them, and the interpreter's draws. The including test calls
// DRAWS_VALUES() once, outside of namespaces.
#pragma once
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "compiler/pipeline.h"
#include "compiler/tensor/build_step.h"
#include "compiler/tensor/interpret.h"
#include "runtime/core/executor.h"

namespace drawn_values {

/// What vaert_main does with the image that it is handed.
inline std::function<void(const vae_image&)> inspect;

#define DRAWS_VALUES()                                                                                   \
  /* Functions that kernels call: named here, so that they are linked into the test. */                  \
  extern const void* const called_by_kernels[];                                                          \
  const void* const called_by_kernels[] = {reinterpret_cast<const void*>(&vaert_lgamma),                 \
                                           reinterpret_cast<const void*>(&vaert_log_i0),                 \
                                           reinterpret_cast<const void*>(&vaert_atan2),                  \
                                           reinterpret_cast<const void*>(&vaert_digamma),                \
                                           reinterpret_cast<const void*>(&vaert_sample_gamma),       \
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
  std::string domain;  // and shape: `positive[5]`
  std::string call;
};

inline void PrintTo(const Case& c, std::ostream* out) { *out << c.call << " over " << c.domain; }

struct Drawn {
  core::Variable variable;
  std::vector<float> values;       // [rows, ...]
  std::vector<float> log_density;  // a row
  tensor::Numbers interpreted;     // values, of fewer rows
};

constexpr int64_t interpreted_rows = 50;

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
  const auto understood = vaec::understand(request, sources, report);
  if (!understood) {
    ADD_FAILURE() << base::render_text(report, false);
    return {};
  }
  inspect = [&](const vae_image& binary) {
    const core::Image image = core::read_image(binary);
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
      // A constant density does not take the value.
      if (density.takes(name)) std::copy_n(drawn.data, drawn.elements, density.input(name).data);
      density.run(7, 3, {});
      const core::Executor::Tensor log_density = density.output("log_density");
      result[i].log_density.assign(log_density.data, log_density.data + log_density.elements);

      const tensor::Program draws =
          tensor::build_draw(understood->model, semantics::ConditionalId{static_cast<int32_t>(i)});
      tensor::Inputs inputs;
      inputs.rows.assign(draws.batches.size(), interpreted_rows);
      inputs.seed = 7;
      inputs.step = 3;
      result[i].interpreted = tensor::interpret(draws, inputs).outputs.at(name);
    }
  };
  core::start_threads(1, nullptr);  // denormal numbers count as zero, as in executables
  base::SourceSet again;
  base::Report again_report(again);
  auto image = vaec::compile(request, again, again_report);
  if (!image) {
    ADD_FAILURE() << base::render_text(again_report, false);
    return {};
  }
  image->run("", {"test"});  // the runtime is this program itself
  return result;
}

}  // namespace drawn_values
