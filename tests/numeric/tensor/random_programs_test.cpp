// links: vaec_pipeline vaert_core vaert_data vaert_onednn
// Random programs that mix views, slices, concatenations, pools and reductions keep their meaning through all
// passes, and their compiled steps agree with the interpreter. VAEC_RANDOM_PROGRAMS=N checks the passes on N
// programs (default 300), VAEC_RANDOM_COMPILED=N compiles N programs (default 40), and VAEC_RANDOM_FIRST=K
// starts with program K. `ctest -C long -R random_programs` does both with 20,000 programs.
#include <gtest/gtest.h>

#include "tests/numeric/support/backend_under_test.h"
#include "tests/numeric/support/checked_programs.h"
#include "tests/numeric/support/compiled_programs.h"
#include "tests/numeric/support/random_programs.h"
#include "tests/numeric/support/view_programs.h"

INSPECTS_IMAGES();

namespace {

/// Only the steps and the means.
lower::Programs steps_and_means(lower::Programs all) {
  lower::Programs result = all;
  result.programs.clear();
  const auto keep = [&](int& index) {
    result.programs.push_back(all.programs[static_cast<size_t>(index)]);
    index = static_cast<int>(result.programs.size()) - 1;
  };
  for (auto& learn : result.learns) {
    learn.simultaneous.clear();  // has the same kernels as the alternating phases
    for (auto& phase : learn.alternating) keep(phase.program);
  }
  for (auto& conditional : result.conditionals) {
    const int mean = conditional.mean;
    conditional = {};
    conditional.mean = mean;
    if (mean >= 0) keep(conditional.mean);
  }
  for (int& rows : result.source_rows) rows = -1;
  result.optimizers.clear();
  result.clip = -1;
  return result;
}

/// The same inputs, each number off by a few units in the last place of a float.
tensor::Inputs rounded(tensor::Inputs inputs) {
  std::mt19937 generator(3);
  std::uniform_real_distribution<double> off(-2e-7, 2e-7);
  const auto shake = [&](tensor::Numbers& numbers) {
    for (double& number : numbers) number *= 1 + off(generator);
  };
  std::ranges::for_each(inputs.parameters, shake);
  for (auto& [name, numbers] : inputs.values) shake(numbers);
  for (auto& [column, numbers] : inputs.columns) shake(numbers);
  return inputs;
}

/// The difference allowed for a step in float is several times the change that rounding its inputs causes.
checked_programs::Wrong compare(const std::vector<float>& seen, const tensor::Numbers& expected,
                                const tensor::Numbers& shaken, const std::string& what) {
  double scale = 1e-3, shift = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    scale = std::max(scale, std::abs(expected[i]));
    shift = std::max(shift, std::abs(expected[i] - shaken[i]));
  }
  for (size_t i = 0; i < expected.size(); ++i)
    if (!(std::abs(static_cast<double>(seen[i]) - expected[i]) <= 5e-5 * scale + 20 * shift))
      return fmt::format("{} at {}: {}, not {} (of {}, moved by {})", what, i, seen[i], expected[i], scale,
                         shift);
  return {};
}

checked_programs::Wrong compare(const core::Image& image, size_t index,
                                const tensor::KernelProgram& kernel_program) {
  const compiled::Executed executed =
      compiled::execute(image, image.programs[index], kernel_program.batches, backend_under_test());
  const tensor::Results expected = tensor::interpret(kernel_program, executed.inputs),
                        shaken = tensor::interpret(kernel_program, rounded(executed.inputs));
  for (const auto& [name, numbers] : expected.outputs)
    if (auto wrong = compare(executed.outputs.at(name), numbers, shaken.outputs.at(name),
                             kernel_program.name + " compiled, " + name))
      return wrong;
  for (const auto& [player, numbers] : expected.gradients)
    if (auto wrong = compare(executed.gradients.at(player), numbers, shaken.gradients.at(player),
                             fmt::format("{} compiled, gradient of {}", kernel_program.name, player)))
      return wrong;
  return {};
}

checked_programs::Wrong check_compiled(const std::string& text, int64_t /*rows*/) {
  try {
    const checked_programs::Reading reading = checked_programs::read_program(text);
    if (!reading.model) return "refused: " + reading.refusal;
    const lower::Programs programs = steps_and_means(vaec::build_programs(*reading.model));
    const semantics::Model& model = reading.model->model;
    lower::Image image(model, game::explain_json(model, reading.model->game), programs,
                       {"random.vae", ".", text});
    checked_programs::Wrong wrong;
    compiled::inspect = [&](const vae_image& binary) {
      const core::Image read = core::read_image(binary);
      for (size_t i = 0; !wrong && i < programs.programs.size(); ++i)
        wrong = compare(read, i, programs.programs[i]);
    };
    image.run("", {"test"});  // this test defines vaert_main itself
    return wrong;
  } catch (const std::exception& error) {
    return std::string("internal error: ") + error.what();
  }
}

using Named = std::pair<std::string, std::string>;
class ViewProgram : public testing::TestWithParam<Named> {};
TEST_P(ViewProgram, keeps_its_meaning) {
  for (const int64_t rows : {1, 3})
    EXPECT_EQ(checked_programs::check_text(GetParam().second, rows).value_or(""), "");
  EXPECT_EQ(check_compiled(GetParam().second, 3).value_or(""), "");
}
INSTANTIATE_TEST_SUITE_P(Named, ViewProgram, testing::ValuesIn(view_programs()),
                         [](const testing::TestParamInfo<Named>& info) { return info.param.first; });

TEST(RandomPrograms, keep_their_meaning_through_all_passes) {
  random_programs::check_all("VAEC_RANDOM_PROGRAMS", 300, checked_programs::check_text);
}

TEST(RandomPrograms, compute_as_compiled_what_the_interpreter_does) {
  random_programs::check_all("VAEC_RANDOM_COMPILED", 40, check_compiled);
}

}  // namespace
