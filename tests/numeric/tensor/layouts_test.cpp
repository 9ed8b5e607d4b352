// links: vaec_pipeline
// Between the convolutions of a U-net all tensors keep the layout of convolutions, channels last. No loop
// reads memory with strides, and no loop only copies.
#include <gtest/gtest.h>

#include "compiler/lower/loops/arrange.h"
#include "tests/numeric/support/example_programs.h"

namespace {

const char* const paired = R"(
import nets
var x : real[1, 12, 8]
var y : real[1, 12, 8]
source pairs { x = npy("x.npy")
               y = npy("y.npy") }
source images { x = npy("x.npy") }
decoder p { x | y ~ Normal(unet(y, 16, 1), 0) }
encoder q { y | x ~ Normal(unet(x, 16, 1), 0) }
learn symmetric { steps = 1 }
)";

bool only_copies(const tensor::Loop& loop) {
  return loop.body.size() == 1 && loop.body[0].kind == tensor::Scalar::Kind::load &&
         loop.stores.size() == 1 && loop.stores[0].combine == tensor::Combine::none;
}

TEST(ChannelsLast, goes_through_pooling_upsampling_and_concatenation) {
  const vaec::CheckedModel checked = programs::check_model({"paired.vae", paired, {}});
  size_t loops = 0;
  for (const tensor::KernelProgram& kernel_program : vaec::build_programs(checked).programs) {
    if (!kernel_program.name.starts_with("symmetric")) continue;
    for (const tensor::Instruction& instruction : kernel_program.instructions) {
      const auto* loop = std::get_if<tensor::Loop>(&instruction);
      if (loop == nullptr) continue;
      ++loops;
      EXPECT_FALSE(only_copies(*loop)) << kernel_program.name << ": " << loop->name;
      const lower::Arrangement arranged = lower::arrange(*loop);
      for (const auto* motions : {&arranged.load_motions, &arranged.store_motions}) {
        for (const lower::Motion motion : *motions)
          EXPECT_NE(motion, lower::Motion::strided) << kernel_program.name << ": " << loop->name;
      }
    }
  }
  EXPECT_GT(loops, 100U);
}

}  // namespace
