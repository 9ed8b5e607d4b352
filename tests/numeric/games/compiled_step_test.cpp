// links: vaec_pipeline vaert_core vaert_data vaert_onednn
// Runs a learning step as executables do (kernels compiled in memory, library calls prepared, buffers
// planned). It gives the outputs and gradients of the interpreter in double precision, with the same draws.
#include <gtest/gtest.h>

#include "tests/numeric/support/backend_under_test.h"
#include "tests/numeric/support/compiled_programs.h"
#include "tests/numeric/support/example_programs.h"
#include "tests/numeric/support/step_models.h"

INSPECTS_IMAGES();

namespace {

void compare(const core::Image& image, const core::Program& program,
             const tensor::KernelProgram& kernel_program) {
  const compiled::Executed executed =
      compiled::execute(image, program, kernel_program.batches, backend_under_test());
  const tensor::Results expected = tensor::interpret(kernel_program, executed.inputs);
  ASSERT_EQ(expected.gradients.size(), executed.gradients.size());
  for (const auto& [player, gradient] : expected.gradients) {
    ASSERT_EQ(executed.gradients.count(player), 1U);
    EXPECT_LT(compiled::difference(executed.gradients.at(player).data(), gradient), 2e-5)
        << kernel_program.name << " player " << player;
  }
  ASSERT_FALSE(expected.outputs.empty());
  for (const auto& [name, values] : expected.outputs) {
    EXPECT_LT(compiled::difference(executed.outputs.at(name).data(), values), 2e-5)
        << kernel_program.name << " " << name;
  }
}

std::vector<int> programs_of(const core::Phase& phase) {
  std::vector<int> programs = {phase.program};
  for (const core::Stage& stage : phase.stages) {
    programs.push_back(stage.program);
    for (const core::GibbsChain& chain : stage.chains)
      programs.insert(programs.end(), chain.parts.begin(), chain.parts.end());
  }
  return programs;
}

void compare_steps(const vaec::Request& request) {
  const lower::Programs programs = vaec::build_programs(vaec::for_executable(programs::check_model(request)));
  size_t compared = 0;
  compiled::with_image(request, [&](const core::Image& image) {
    for (const core::Learn& learn : image.learns) {
      for (const std::vector<core::Phase>& phases : {learn.alternating, learn.simultaneous}) {
        for (const core::Phase& phase : phases) {
          for (const int index : programs_of(phase)) {
            const auto i = static_cast<size_t>(index);
            compare(image, image.programs[i], programs.programs[i]);
            ++compared;
          }
        }
      }
    }
  });
  EXPECT_GE(compared, 2U);
}

TEST(CompiledStep, OfTheDigitsExample) { compare_steps(programs::example("digits/digits.vae")); }
TEST(CompiledStep, OfTheLadderExample) { compare_steps(programs::example("ladder/ladder.vae")); }
TEST(CompiledStep, OfTheReverseExample) { compare_steps(programs::example("reverse/reverse.vae")); }

using Model = std::pair<std::string, std::string>;
class CompiledStepOf : public testing::TestWithParam<Model> {};
TEST_P(CompiledStepOf, gives_what_the_interpreter_does) {
  compare_steps({"test.vae", GetParam().second, {}});
}
INSTANTIATE_TEST_SUITE_P(Models, CompiledStepOf, testing::ValuesIn(step_models()),
                         [](const testing::TestParamInfo<Model>& info) { return info.param.first; });

}  // namespace
