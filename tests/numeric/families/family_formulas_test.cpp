// Compares what the compiler derives from each declaration of the standard library (gradient, mean, entropy,
// divergence) with sums and integrals of the density, and with finite differences.
// links: semantics
#include <gtest/gtest.h>

#include <set>

#include "compiler/semantics/analyse.h"
#include "compiler/semantics/families/divergence.h"
#include "compiler/semantics/graph/build.h"
#include "compiler/semantics/graph/evaluate_numeric.h"
#include "compiler/semantics/stdlib_text.h"
#include "compiler/syntax/parse.h"
#include "tests/numeric/families/family_cases.h"

using namespace semantics;
using family_cases::Case;
using family_cases::Point;

namespace {

/// Two players that draw one variable from the same family, each with its own parameters.
struct TwoConditionals {
  const Case& of;
  base::SourceSet sources;
  base::Report report{sources};
  syntax::Tree tree;
  Model model;

  explicit TwoConditionals(const Case& of) : of(of) {
    const std::string call = family_cases::call_of(of);
    tree = syntax::parse(sources.add("test.vae", "var x : " + of.domain +
                                                     "\nsource data { x = npy(\"x.npy\") }\nplayer q { x ~ " +
                                                     call + " }\nplayer p { x ~ " + call + " }\n"),
                         report);
    model = analyse(tree, {}, sources, report);
  }
  double value(NodeId node, const Numbers& x, const std::vector<Numbers>& at) const {
    return values(node, x, at).at(0);
  }
  Numbers values(NodeId node, const Numbers& x, const std::vector<Numbers>& at) const {
    NumericEvaluator evaluate(model.graph, [&](const Node& leaf) {
      if (leaf.op == Op::variable) return x;
      const auto i = static_cast<size_t>(leaf.index);
      return i < at.size() ? at[i] : of.and_at.at(i - of.at.size());
    });
    return evaluate(node);
  }
  /// The sum or the integral of density times f over the points.
  template <class F>
  double mean(const F& f) const {
    double total = 0;
    for (const Point& point : family_cases::points_of(of.domain)) {
      const double log_density = value(q().log_density, point.x, of.at);
      if (log_density > -300) total += point.weight * std::exp(log_density) * f(point, log_density);
    }
    return total;
  }
  const Conditional& q() const { return model.conditionals.at(0); }
  const Conditional& p() const { return model.conditionals.at(1); }
};

class Formula : public testing::TestWithParam<Case> {};

TEST_P(Formula, OfTheGradientIsTheSlopeOfTheDensity) {
  TwoConditionals two(GetParam());
  ASSERT_FALSE(two.report.has_errors()) << base::render_text(two.report, false);
  const auto points = family_cases::points_of(two.of.domain);
  const Numbers x = points[points.size() == 200 ? 3 : points.size() * 11 / 20].x;
  Build build{&two.model.graph, {}};
  for (size_t i = 0; i < two.of.at.size(); ++i) {
    const Numbers gradient =
        two.values(derivative(build, two.q().log_density, two.q().arguments[i]), x, two.of.at);
    for (size_t k = 0; k < two.of.at[i].size(); ++k) {
      std::vector<Numbers> up = two.of.at, down = two.of.at;
      up[i][k] += 1e-5;
      down[i][k] -= 1e-5;
      const double slope =
          (two.value(two.q().log_density, x, up) - two.value(two.q().log_density, x, down)) / 2e-5;
      EXPECT_NEAR(gradient[k], slope, 1e-7 * (1 + std::abs(slope))) << "parameter " << i;
    }
  }
}

// At 0, where every parameter starts unless the file says otherwise.
TEST_P(Formula, OfTheGradientIsFiniteAtZero) {
  TwoConditionals two(GetParam());
  std::vector<Numbers> zero = two.of.at;
  for (Numbers& value : zero) value.assign(value.size(), 0);
  const auto points = family_cases::points_of(two.of.domain);
  Build build{&two.model.graph, {}};
  for (size_t i = 0; i < zero.size(); ++i)
    for (const double slope : two.values(derivative(build, two.q().log_density, two.q().arguments[i]),
                                         points[points.size() / 3].x, zero))
      EXPECT_TRUE(std::isfinite(slope)) << "parameter " << i;
}

TEST_P(Formula, OfTheMeanIsTheMeanOfTheDensity) {
  const TwoConditionals two(GetParam());
  EXPECT_NEAR(two.mean([](const Point&, double) { return 1; }), 1, 1e-5);
  ASSERT_EQ(static_cast<bool>(two.q().mean), two.of.mean);
  if (!two.of.mean) return;
  const Numbers derived = two.values(two.q().mean, {}, two.of.at);
  for (size_t k = 0; k < derived.size(); ++k)
    EXPECT_NEAR(derived[k], two.mean([&](const Point& point, double) { return point.x[k]; }), 2e-5);
}

TEST_P(Formula, OfTheEntropyIsMinusTheMeanLogDensity) {
  TwoConditionals two(GetParam());
  const NodeId entropy = expand_entropy(two.model.graph, two.q());
  ASSERT_EQ(static_cast<bool>(entropy), two.of.entropy);
  if (!entropy) return;
  EXPECT_TRUE(variables_of(two.model.graph, entropy).empty());
  EXPECT_NEAR(two.value(entropy, {}, two.of.at),
              -two.mean([](const Point&, double log_density) { return log_density; }), 2e-5);
}

TEST_P(Formula, OfTheDivergenceIsTheMeanLogRatio) {
  TwoConditionals two(GetParam());
  const NodeId kl = expand_kl(two.model.graph, two.q(), two.p());
  ASSERT_TRUE(kl);
  EXPECT_TRUE(variables_of(two.model.graph, kl).empty());
  const double expected = two.mean([&](const Point& point, double log_density) {
    return log_density - two.value(two.p().log_density, point.x, two.of.at);
  });
  EXPECT_NEAR(two.value(kl, {}, two.of.at), expected, 2e-5 * (1 + expected));
  EXPECT_NEAR(two.value(expand_kl(two.model.graph, two.q(), two.q()), {}, two.of.at), 0, 1e-12);
}

INSTANTIATE_TEST_SUITE_P(Of, Formula, testing::ValuesIn(family_cases::cases()),
                         [](const testing::TestParamInfo<Case>& tested) { return tested.param.family; });

TEST(FamilyCases, AreAllFamiliesOfTheStandardLibrary) {
  base::SourceSet sources;
  base::Report report(sources);
  const auto tree =
      syntax::parse(sources.add("families.vae", std::string(stdlib_text("families").value())), report);
  std::set<std::string> declared, covered;
  for (const auto& declaration : tree.declarations)
    if (const auto* family = std::get_if<syntax::FamilyDecl>(&declaration.kind))
      declared.insert(family->name.text);
  for (const Case& c : family_cases::cases()) covered.insert(c.family);
  EXPECT_EQ(declared, covered);
}

TEST(Divergence, SumsOverTheElementsOfAShape) {
  base::SourceSet sources;
  base::Report report(sources);
  const auto tree = syntax::parse(sources.add("test.vae", R"(
var x : real[2, 3]
source data { x = npy("x.npy") }
player q { x ~ Normal(parameter([2, 3]), parameter([])) }
player p { x ~ Normal(0) }
player r { x ~ Laplace(0, location = 1) }
player s { x ~ Laplace(0, location = 2) })"),
                                  report);
  Model model = analyse(tree, {}, sources, report);
  ASSERT_FALSE(report.has_errors()) << base::render_text(report, false);
  const NodeId kl = expand_kl(model.graph, model.conditionals[0], model.conditionals[1]);
  NumericEvaluator evaluate(model.graph, [](const Node& leaf) {
    return leaf.index == 0 ? Numbers{0.1, -0.2, 0.3, 1, 2, -3} : Numbers{-0.7};
  });
  double expected = 0;
  for (const double m : {0.1, -0.2, 0.3, 1.0, 2.0, -3.0})
    expected += 0.5 * (m * m + std::exp(-1.4) - 1) + 0.7;
  EXPECT_NEAR(evaluate(kl)[0], expected, 1e-12);
  // There is no such divergence between different families, or between different fixed parameters.
  EXPECT_FALSE(expand_kl(model.graph, model.conditionals[0], model.conditionals[2]));
  EXPECT_FALSE(expand_kl(model.graph, model.conditionals[2], model.conditionals[3]));
}

}  // namespace
