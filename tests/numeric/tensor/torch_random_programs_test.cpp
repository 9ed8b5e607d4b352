// links: vaec_pipeline vaert_core vaert_data libtorch
// The gradients of random programs after all passes equal those of LibTorch's autograd on the programs as
// built. random_programs.h says how the number of programs is set.
#include <gtest/gtest.h>

#include "tests/numeric/support/checked_programs.h"
#include "tests/numeric/support/random_programs.h"
#include "tests/numeric/support/torch_rendering.h"
#include "tests/numeric/support/view_programs.h"

namespace {

checked_programs::Wrong check(const tensor::Program& built, const tensor::Inputs& inputs) {
  const tensor::KernelProgram kernel_program = tensor::make_kernel_program(built);
  const TorchRendering rendering(built, inputs);
  return checked_programs::difference({rendering.outputs(), rendering.gradients()},
                                      tensor::interpret(kernel_program, inputs), built.name + " by LibTorch");
}

checked_programs::Wrong check_text(const std::string& text, int64_t rows) {
  return checked_programs::for_each_program(text, rows, check);
}

TEST(TorchRandomPrograms, have_the_same_gradients) {
  random_programs::check_all("VAEC_RANDOM_PROGRAMS", 300, check_text);
}

using Named = std::pair<std::string, std::string>;
class TorchViewProgram : public testing::TestWithParam<Named> {};
TEST_P(TorchViewProgram, has_the_same_gradients) {
  EXPECT_EQ(check_text(GetParam().second, 3).value_or(""), "");
}
INSTANTIATE_TEST_SUITE_P(Named, TorchViewProgram, testing::ValuesIn(view_programs()),
                         [](const testing::TestParamInfo<Named>& info) { return info.param.first; });

}  // namespace
