// links: vaec_pipeline
// Between convolutions all tensors keep the layout of convolutions, channels last. In a U-net no loop reads
// memory with strides, and no loop only copies.
#include <gtest/gtest.h>

#include <algorithm>

#include "compiler/lower/loops/arrange.h"
#include "compiler/tensor/passes/canonicalise_loops.h"
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

std::vector<tensor::Loop> loops_of_steps(const std::string& text) {
  std::vector<tensor::Loop> loops;
  for (const tensor::KernelProgram& kernel_program :
       vaec::build_programs(programs::check_model({"paired.vae", text, {}})).programs) {
    if (!kernel_program.name.starts_with("symmetric")) continue;
    for (const tensor::Instruction& instruction : kernel_program.instructions) {
      if (const auto* loop = std::get_if<tensor::Loop>(&instruction)) loops.push_back(*loop);
    }
  }
  return loops;
}

TEST(ChannelsLast, goes_through_pooling_upsampling_and_concatenation) {
  const auto loops = loops_of_steps(paired);
  for (const tensor::Loop& loop : loops) {
    EXPECT_FALSE(only_copies(loop)) << loop.name;
    const lower::Arrangement arranged = lower::arrange(loop);
    for (const auto* motions : {&arranged.load_motions, &arranged.store_motions}) {
      for (const lower::Motion motion : *motions) EXPECT_NE(motion, lower::Motion::strided) << loop.name;
    }
  }
  EXPECT_GT(loops.size(), 100U);
}

// Between two convolutions with 16 channels and 96 positions.
std::string with_norm(const std::string& norm) {
  return "var x : real[1, 12, 8]\nvar y : real[1, 12, 8]\n"
         "source pairs { x = npy(\"x.npy\")\n y = npy(\"y.npy\") }\n"
         "net wide(image) = conv(image, 16, kernel = 3, padding = 1)\n"
         "decoder p { x | y ~ Normal(conv(relu(" +
         norm + "), 1, kernel = 3, padding = 1), 0) }\nlearn symmetric { steps = 1 }\n";
}

TEST(ChannelsLast, goes_through_norms) {
  for (const std::string norm : {"layer_norm(wide(y))", "group_norm(wide(y), 4)"}) {
    size_t accesses = 0;
    for (tensor::Loop loop : loops_of_steps(with_norm(norm))) {
      tensor::for_each_access(loop, [&](const tensor::Access& access) {
        // Whether it reads or writes all elements of each row.
        if (std::ranges::find(access.strides, int64_t{16} * 96) == access.strides.end()) return;
        ++accesses;
        const auto neighbours = std::ranges::find(access.strides, 1) - access.strides.begin();
        EXPECT_NE(loop.space.at(static_cast<size_t>(neighbours)).size, 96) << norm << ": " << loop.name;
      });
    }
    EXPECT_GT(accesses, 10U) << norm;
  }
}

}  // namespace
