// links: vaec_pipeline vaert_core vaert_data vaert_onednn libtorch
// The gradients of compiled steps equal those of LibTorch's autograd on the same forward programs, with the
// same draws. The compiled side uses closed-form adjoints, passes, kernels and the library operations of both
// backends; autograd uses none of these.
#include <gtest/gtest.h>

#include "compiler/print_stage.h"
#include "tests/numeric/support/backend_under_test.h"
#include "tests/numeric/support/compiled_programs.h"
#include "tests/numeric/support/example_programs.h"
#include "tests/numeric/support/step_models.h"
#include "tests/numeric/support/torch_rendering.h"

INSPECTS_IMAGES();

namespace {

/// The programs of the model before any pass, in the order of the image.
std::vector<tensor::Program> programs_as_built(const vaec::Request& request) {
  base::SourceSet sources;
  base::Report report(sources);
  const auto text = vaec::print_stage("tensor", "build", request, sources, report);
  std::vector<tensor::Program> programs;
  if (!text) return programs;
  const std::string begin = "program \"";
  for (size_t at = text->find(begin), next = 0; at < text->size(); at = next) {
    next = std::min(text->find("\n" + begin, at), text->size() - 1) + 1;
    programs.push_back(tensor::parse(std::string_view(*text).substr(at, next - at)));
  }
  return programs;
}

/// Relative to the largest magnitude. A weight of `rws` is the exponential of a sum over all pixels.
constexpr double tolerance = 5e-5;

void compare(const core::Image& image, size_t index, const tensor::Program& built) {
  for (const std::string& backend : core::backend_names()) {
    const compiled::Executed executed = compiled::execute(image, image.programs[index], built.batches,
                                                          core::open_backend({.backend = backend}));
    const TorchRendering rendering(built, executed.inputs);
    const auto gradients = rendering.gradients();
    ASSERT_EQ(executed.gradients.size(), gradients.size());
    for (const auto& [player, gradient] : gradients) {
      ASSERT_EQ(executed.gradients.count(player), 1U);
      EXPECT_LT(compiled::difference(executed.gradients.at(player).data(), gradient), tolerance)
          << built.name << " player " << player << " by " << backend;
    }
    for (const auto& [name, values] : rendering.outputs())
      EXPECT_LT(compiled::difference(executed.outputs.at(name).data(), values), tolerance)
          << built.name << " " << name << " by " << backend;
  }
}

void compare_steps(const vaec::Request& request) {
  const std::vector<tensor::Program> built = programs_as_built(request);
  int compared = 0;
  compiled::with_image(request, [&](const core::Image& image) {
    ASSERT_EQ(image.programs.size(), built.size());
    for (size_t i = 0; i < built.size(); ++i) {
      ASSERT_EQ(image.programs[i].name, built[i].name);
      if (built[i].updates.empty()) continue;
      compare(image, i, built[i]);
      ++compared;
    }
  });
  EXPECT_GE(compared, 1);
}

using Model = std::pair<std::string, std::string>;
class TorchGradientsOf : public testing::TestWithParam<Model> {};
TEST_P(TorchGradientsOf, are_those_of_the_compiled_steps) {
  compare_steps({"test.vae", GetParam().second, {}});
}
INSTANTIATE_TEST_SUITE_P(Models, TorchGradientsOf, testing::ValuesIn(step_models()),
                         [](const testing::TestParamInfo<Model>& info) { return info.param.first; });

class TorchGradients : public testing::TestWithParam<const char*> {};

TEST_P(TorchGradients, are_those_of_the_compiled_steps) {
  compare_steps(programs::example(std::string(GetParam()) + ".vae"));
}

INSTANTIATE_TEST_SUITE_P(
    Of, TorchGradients,
    testing::Values("digits/digits", "estimators/estimators", "figure8/figure8", "five_players/five_players",
                    "ima/ima", "ladder/ladder", "own_family/own_family", "reverse/reverse",
                    "segmentation/segmentation", "semi_supervised/semi_supervised", "table/table"),
    [](const auto& info) { return std::string(info.param).substr(std::string(info.param).find('/') + 1); });

}  // namespace
