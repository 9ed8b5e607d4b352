// links: vaec_pipeline vaert_core vaert_data vaert_onednn
// The compiled samplers of the standard library draw from the densities that the declarations state. A
// goodness-of-fit test with a fixed seed, for variables with a shape.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "compiler/pipeline.h"
#include "compiler/semantics/graph/evaluate_numeric.h"
#include "runtime/core/execution/executor.h"
#include "tests/numeric/families/family_cases.h"

namespace {

/// Called by vaert_main with the image.
std::function<void(const vae_image&)> inspect;

using family_cases::Case;
using family_cases::Numbers;
using family_cases::Point;

constexpr int64_t rows = 1000, elements = 30;

std::string list(const Numbers& values) {
  if (values.size() == 1) return fmt::format("{}", values[0]);
  std::string text;
  for (const double value : values) text += fmt::format("{}{}", text.empty() ? "" : ", ", value);
  return fmt::format("reshape([{}], [{}, 1])", text, values.size());
}

struct Model {
  base::SourceSet sources;
  base::Report report{sources};
  std::string text;

  explicit Model(const Case& c) {
    std::string arguments;
    for (const Numbers& value : c.at) arguments += (arguments.empty() ? "" : ", ") + list(value);
    // One conditional for the density of a single value, and one for many draws.
    const std::string call = "source {} weight 0 {{ {} ~ " + c.family + "(" + arguments + c.fixed + ") }}\n";
    text = fmt::format("var x : {}[{}]\nvar one : {}[1]\n", c.domain, elements, c.domain) +
           fmt::format(fmt::runtime(call), "many", "x") + fmt::format(fmt::runtime(call), "single", "one");
  }
};

/// The number that the fit is tested on: the value, the class, or the first component of a simplex.
double statistic(const double* x, size_t size, size_t stride) {
  if (size == 4) {
    for (size_t k = 0; k < 4; ++k)
      if (x[k * stride] == 1) return static_cast<double>(k);
    return -1;
  }
  return x[0];
}

class Draws : public testing::TestWithParam<Case> {};

TEST_P(Draws, FitTheDensity) {
  Model model(GetParam());
  const vaec::Request request{"test.vae", model.text, {}};
  const auto checked = vaec::check_model(request, model.sources, model.report);
  ASSERT_TRUE(checked) << base::render_text(model.report, false);

  // Bins of about equal mass. Their edges lie between the points of the density.
  std::vector<std::pair<double, double>> mass;
  const auto& one = checked->model.conditionals[1];
  for (const Point& point : family_cases::points_of(GetParam().domain)) {
    semantics::NumericEvaluator evaluate(checked->model.graph,
                                         [&](const semantics::Node&) { return point.x; });
    mass.emplace_back(statistic(point.x.data(), point.x.size(), 1),
                      point.weight * std::exp(evaluate(one.log_density)[0]));
  }
  std::sort(mass.begin(), mass.end());
  std::vector<double> edges, expected;  // a bin contains the values above the previous edge, up to its own
  constexpr double least = 0.05;
  double open = 0;
  for (size_t i = 0; i < mass.size(); ++i) {
    open += std::isfinite(mass[i].second) ? mass[i].second : 0;
    const bool last = i + 1 == mass.size();
    const bool apart = !last && mass[i + 1].first > mass[i].first;
    if (!last && (open < least || !apart)) continue;
    // Between two points of a continuous domain the edge is in the middle.
    edges.push_back(last ? INFINITY : 0.5 * (mass[i].first + mass[i + 1].first));
    expected.push_back(open);
    open = 0;
  }
  if (expected.size() > 1 && expected.back() < least / 5) {
    expected[expected.size() - 2] += expected.back();
    expected.pop_back();
    edges.pop_back();
    edges.back() = INFINITY;
  }
  ASSERT_GE(expected.size(), 2U);

  std::vector<double> counts(expected.size());
  inspect = [&](const vae_image& binary) {
    const core::Image image = core::read_image(binary);
    const core::Program& program = image.programs[static_cast<size_t>(image.conditionals[0].draw)];
    core::Machine machine;
    const core::Executor executor(image, program, machine,
                                  std::vector<int64_t>(program.batches.size(), rows));
    executor.run(7, 3, {});
    const core::Executor::Tensor drawn = executor.output("x");
    const std::vector<double> values(drawn.data, drawn.data + drawn.elements);
    const auto size = static_cast<size_t>(drawn.elements / (rows * elements));
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t i = 0; i < elements; ++i) {
        const double value = statistic(
            &values[static_cast<size_t>(row * elements) * size + static_cast<size_t>(i)], size, elements);
        const auto bin = std::lower_bound(edges.begin(), edges.end(), value) - edges.begin();
        counts.at(static_cast<size_t>(bin)) += 1;
      }
  };
  base::SourceSet again;
  base::Report again_report(again);
  auto image = vaec::compile(request, again, again_report);
  ASSERT_TRUE(image);
  image->run("", {"test"});  // this test defines vaert_main itself

  double chi_squared = 0;
  for (size_t k = 0; k < expected.size(); ++k) {
    const double wanted = expected[k] * rows * elements;
    chi_squared += (counts[k] - wanted) * (counts[k] - wanted) / wanted;
  }
  // Chi squared with n degrees of freedom has mean n and variance 2 n. A correct sampler fails about once in
  // some thousands.
  const auto degrees = static_cast<double>(expected.size() - 1);
  EXPECT_LT(chi_squared, degrees + 4 * std::sqrt(2 * degrees) + 4) << expected.size() << " bins";
}

INSTANTIATE_TEST_SUITE_P(Of, Draws, testing::ValuesIn(family_cases::cases()),
                         [](const testing::TestParamInfo<Case>& tested) { return tested.param.family; });

}  // namespace

// Functions that kernels call. They are named here so that they are linked into the test.
extern const void* const called_by_kernels[];
const void* const called_by_kernels[] = {reinterpret_cast<const void*>(&vaert_lgamma),
                                         reinterpret_cast<const void*>(&vaert_log_i0),
                                         reinterpret_cast<const void*>(&vaert_sample_gamma_log),
                                         reinterpret_cast<const void*>(&vaert_sample_beta),
                                         reinterpret_cast<const void*>(&vaert_sample_poisson),
                                         reinterpret_cast<const void*>(&vaert_sample_binomial),
                                         reinterpret_cast<const void*>(&vaert_sample_von_mises)};

extern "C" __attribute__((visibility("default"))) int vaert_main(const vae_image* image, int /*argc*/,
                                                                 char** /*argv*/) {
  inspect(*image);
  return 0;
}
