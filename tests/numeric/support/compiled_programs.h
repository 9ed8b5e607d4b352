// In: a model's text. Out: every program of its image, run as an executable runs it (kernels compiled in
// memory, buffers planned) on made-up rows and parameters. The inputs are returned too, so that an oracle can
// use the same. The including test calls INSPECTS_IMAGES() once, outside of namespaces.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "compiler/pipeline.h"
#include "compiler/tensor/interpret.h"
#include "runtime/core/execution/executor.h"

namespace compiled {

constexpr int64_t rows = 3;
constexpr uint64_t seed = 11, step = 5;

/// Called by vaert_main with the image.
inline std::function<void(const vae_image&)> inspect;

#define INSPECTS_IMAGES()                                                                                \
  /* Functions that kernels call: named here, so that they are linked into the test. */                  \
  extern const void* const called_by_kernels[];                                                          \
  const void* const called_by_kernels[] = {reinterpret_cast<const void*>(&vaert_lgamma),                 \
                                           reinterpret_cast<const void*>(&vaert_sample_poisson)};        \
  extern "C" __attribute__((visibility("default"))) int vaert_main(const vae_image* image, int /*argc*/, \
                                                                   char** /*argv*/) {                    \
    compiled::inspect(*image);                                                                           \
    return 0;                                                                                            \
  }                                                                                                      \
  static_assert(true)

inline std::vector<float> noise(size_t count, unsigned from, float scale) {
  std::mt19937 generator(from);
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

inline std::vector<float> bits(size_t count, unsigned from) {
  std::vector<float> values = noise(count, from, 1);
  for (float& value : values) value = value > 0 ? 1.0F : 0.0F;
  return values;
}

/// Values in the variable's domain, one for each of the bits 0 and 1.
inline std::vector<float> values_of(const core::Image& image, int variable, size_t count, unsigned from) {
  const std::string domain = variable < 0 ? "" : image.variables[static_cast<size_t>(variable)].domain;
  if (domain == "real") return noise(count, from, 1);
  std::vector<float> values = bits(count, from);
  for (float& value : values) {
    if (domain == "unit") value = 0.25F + 0.5F * value;
    if (domain == "positive") value += 0.5F;
  }
  return values;
}

inline tensor::Numbers doubled(const std::vector<float>& values) { return {values.begin(), values.end()}; }

/// Largest difference, relative to the largest magnitude.
inline double difference(const float* seen, const tensor::Numbers& expected) {
  double largest = 0, scale = 1e-6;
  for (size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(seen[i]) - expected[i]));
    scale = std::max(scale, std::abs(expected[i]));
  }
  return largest / scale;
}

/// The inputs and the results of a program.
struct Executed {
  tensor::Inputs inputs;
  std::map<int, std::vector<float>> gradients;  // by player, as flat arrays
  std::map<std::string, std::vector<float>> outputs;
};

inline Executed execute(const core::Image& image, const core::Program& program,
                        const std::vector<tensor::BatchClass>& batches, const vae_library* library) {
  Executed result;
  tensor::Inputs& inputs = result.inputs;
  inputs.seed = seed;
  inputs.step = step;
  for (const tensor::BatchClass& batch : batches) inputs.rows.push_back(rows * batch.times);
  core::Machine machine;
  machine.library = library;
  library->set_threads(1);
  machine.threads = 1;
  std::vector<std::vector<float>> parameters;
  parameters.reserve(image.players.size());
  for (size_t i = 0; i < image.players.size(); ++i) {
    const auto from = static_cast<unsigned>(i);
    parameters.push_back(noise(static_cast<size_t>(image.players[i].elements), from, 0.1F));
    machine.parameters.push_back(parameters.back().data());
    inputs.parameters.push_back(doubled(parameters.back()));
  }
  std::vector<float> coefficients(static_cast<size_t>(image.coefficients), 1.0F / rows);
  machine.coefficients = coefficients.data();
  inputs.coefficients = doubled(coefficients);

  core::Hooks hooks;
  hooks.gather = [&](int column, int source, int64_t count, float* to) {
    const int variable = image.columns[static_cast<size_t>(column)].variable;
    const int64_t row = image.variables[static_cast<size_t>(variable)].elements();
    const std::vector<float> drawn = values_of(image, variable, static_cast<size_t>(count * row),
                                               static_cast<unsigned>(100 * column + source));
    std::ranges::copy(drawn, to);
    inputs.columns[{column, source}] = doubled(drawn);
  };
  hooks.update = [&](int player, const float* gradient) {
    result.gradients[player].assign(gradient, gradient + image.players[static_cast<size_t>(player)].elements);
  };
  const core::Executor executor(image, program, machine, inputs.rows);
  for (const core::Buffer& buffer : program.buffers) {
    if (buffer.kind != core::Buffer::Kind::input) continue;
    const core::Executor::Tensor input = executor.input(buffer.name);
    const std::string variable = buffer.name.substr(0, buffer.name.find('@'));
    const auto found = std::ranges::find(image.variables, variable, &core::Variable::name);
    const int index = found == image.variables.end() ? -1 : static_cast<int>(found - image.variables.begin());
    const std::vector<float> given = values_of(image, index, static_cast<size_t>(input.elements), 7);
    std::ranges::copy(given, input.data);
    inputs.values[buffer.name] = doubled(given);
  }
  executor.run(seed, step, hooks);
  for (const auto& [name, output] : executor.outputs())
    result.outputs[name].assign(output.data, output.data + output.elements);
  return result;
}

/// Compiles the model and passes its image to `visit`.
inline void with_image(const vaec::Request& request, std::function<void(const core::Image&)> visit) {
  inspect = [&](const vae_image& binary) { visit(core::read_image(binary)); };
  base::SourceSet sources;
  base::Report report(sources);
  auto image = vaec::compile(request, sources, report);
  ASSERT_TRUE(image) << base::render_text(report, false);
  image->run("", {"test"});  // this test defines vaert_main itself
}

}  // namespace compiled
