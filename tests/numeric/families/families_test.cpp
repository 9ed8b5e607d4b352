// What the compiler derives from the declaration of a family: densities, means, samples; and which
// declarations it refuses.
// links: semantics
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "compiler/semantics/analyse.h"
#include "compiler/semantics/expressions/evaluator.h"
#include "compiler/semantics/families/family_template.h"
#include "compiler/semantics/graph/build.h"
#include "compiler/semantics/graph/evaluate_numeric.h"
#include "compiler/syntax/parse.h"

using namespace semantics;

namespace {

/// A player with `var x : DOMAIN` and `x ~ FAMILY(...)`, whose arguments are parameters.
struct OneConditional {
  base::SourceSet sources;
  base::Report report{sources};
  syntax::Tree tree;
  Model model;

  OneConditional(const std::string& domain, const std::string& call, const std::string& declarations = "") {
    tree = syntax::parse(
        sources.add("test.vae", declarations + "\nvar x : " + domain +
                                    "\nsource data { x = npy(\"x.npy\") }\nplayer p { x ~ " + call + " }\n"),
        report);
    model = analyse(tree, {}, sources, report);
  }
  std::string errors() const { return base::render_text(report, false); }
  const Conditional& conditional() const { return model.conditionals.at(0); }
  Numbers value(NodeId node, const Numbers& x, const std::vector<Numbers>& parameters) const {
    NumericEvaluator evaluate(model.graph, [&](const Node& leaf) {
      return leaf.op == Op::variable ? x : parameters.at(static_cast<size_t>(leaf.index));
    });
    return evaluate(node);
  }
  double log_density(const Numbers& x, const std::vector<Numbers>& parameters) const {
    return value(conditional().log_density, x, parameters).at(0);
  }
  Numbers mean(const std::vector<Numbers>& parameters) const {
    return value(conditional().mean, {}, parameters);
  }
};

double log_sigmoid(double x) { return x > 0 ? -std::log1p(std::exp(-x)) : x - std::log1p(std::exp(x)); }

TEST(LogDensity, OfBernoulliIsTheSumOfCrossEntropies) {
  const OneConditional b("binary[3]", "Bernoulli(parameter([3]))");
  ASSERT_FALSE(b.report.has_errors()) << b.errors();
  EXPECT_NEAR(b.log_density({1, 0, 1}, {{0.3, -1.2, 40}}),
              log_sigmoid(0.3) + log_sigmoid(1.2) + log_sigmoid(40), 1e-12);
  const Numbers mean = b.mean({{0.3, -1.2, 40}});
  EXPECT_NEAR(mean[1], 1 / (1 + std::exp(1.2)), 1e-12);
}

TEST(LogDensity, OfBernoulliByProbabilityIsTheSame) {
  const OneConditional b("binary[2]", "Bernoulli(prob = sigmoid(parameter([2])))");
  ASSERT_FALSE(b.report.has_errors()) << b.errors();
  EXPECT_NEAR(b.log_density({1, 0}, {{0.3, -1.2}}), log_sigmoid(0.3) + log_sigmoid(1.2), 1e-9);
}

TEST(LogDensity, OfNormalIsTheGaussian) {
  const auto gaussian = [](double x, double m, double log_std) {
    const double s = std::exp(log_std);
    return -0.5 * (x - m) * (x - m) / (s * s) - log_std - 0.5 * std::log(2 * std::numbers::pi);
  };
  const OneConditional shared("real[2]", "Normal(parameter([2]), parameter([]))");
  ASSERT_FALSE(shared.report.has_errors()) << shared.errors();
  EXPECT_NEAR(shared.log_density({1, -2}, {{0.5, 0.1}, {-0.7}}),
              gaussian(1, 0.5, -0.7) + gaussian(-2, 0.1, -0.7), 1e-12);
  const OneConditional unit("real[2]", "Normal(parameter([2]))");
  EXPECT_NEAR(unit.log_density({1, -2}, {{0.5, 0.1}}), gaussian(1, 0.5, 0) + gaussian(-2, 0.1, 0), 1e-12);
  const OneConditional by_std("real[2]", "Normal(parameter([2]), std = 0.2)");
  ASSERT_FALSE(by_std.report.has_errors()) << by_std.errors();
  EXPECT_NEAR(by_std.log_density({1, -2}, {{0.5, 0.1}}),
              gaussian(1, 0.5, std::log(0.2)) + gaussian(-2, 0.1, std::log(0.2)), 1e-9);
  EXPECT_FALSE(by_std.conditional().discrete);
  EXPECT_EQ(by_std.conditional().arguments.size(), 2u);
}

TEST(LogDensity, OfCategoricalTakesTheClassAxisFirstAtEachPosition) {
  const OneConditional c("category(3)[2]", "Categorical(parameter([3, 2]))");
  ASSERT_FALSE(c.report.has_errors()) << c.errors();
  // Logits of position 0: 0.1, 0.3, 0.5; of position 1: 0.2, 0.4, 0.6. The classes are 2 and 0.
  const Numbers logits = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6}, x = {0, 1, 0, 0, 1, 0};
  const double z0 = std::log(std::exp(0.1) + std::exp(0.3) + std::exp(0.5));
  const double z1 = std::log(std::exp(0.2) + std::exp(0.4) + std::exp(0.6));
  EXPECT_NEAR(c.log_density(x, {logits}), 0.5 - z0 + 0.2 - z1, 1e-12);
  const Numbers mean = c.mean({logits});
  ASSERT_EQ(mean.size(), 6u);
  EXPECT_NEAR(mean[2], std::exp(0.3 - z0), 1e-12);
  const Numbers draw = c.value(c.conditional().sample, {}, {logits});
  EXPECT_EQ(draw[0] + draw[2] + draw[4], 1);
  EXPECT_EQ(draw[1] + draw[3] + draw[5], 1);
}

TEST(LogDensity, OfPoissonCountsEvents) {
  const OneConditional p("count", "Poisson(parameter([]))");
  ASSERT_FALSE(p.report.has_errors()) << p.errors();
  EXPECT_NEAR(p.log_density({3}, {{0.4}}), 3 * 0.4 - std::exp(0.4) - std::log(6.0), 1e-12);
  EXPECT_NEAR(p.mean({{0.4}})[0], std::exp(0.4), 1e-12);
}

TEST(LogDensity, OfTheOtherFamiliesAgreesWithTheirFormulas) {
  const auto density = [](const std::string& domain, const std::string& call, const Numbers& x,
                          const std::vector<Numbers>& parameters) {
    const OneConditional one(domain, call);
    EXPECT_FALSE(one.report.has_errors()) << one.errors();
    return one.log_density(x, parameters);
  };
  const std::string p = "parameter([])";
  const double e = std::exp(0.4), q = 1 / (1 + std::exp(-0.4));
  EXPECT_NEAR(density("positive", "Exponential(" + p + ")", {2}, {{0.4}}), 0.4 - 2 * e, 1e-12);
  EXPECT_NEAR(density("positive", "Gamma(" + p + ", " + p + ")", {2}, {{0.4}, {0.1}}),
              e * 0.1 - std::lgamma(e) + (e - 1) * std::log(2) - 2 * std::exp(0.1), 1e-12);
  EXPECT_NEAR(density("unit", "Beta(" + p + ", " + p + ")", {0.3}, {{0.4}, {0.0}}),
              std::lgamma(e + 1) - std::lgamma(e) + (e - 1) * std::log(0.3), 1e-12);
  EXPECT_NEAR(density("real", "Laplace(" + p + ", location = 1)", {3}, {{0.4}}), -2 / e - 0.4 - std::log(2),
              1e-12);
  EXPECT_NEAR(density("count", "Geometric(" + p + ")", {3}, {{0.4}}), 3 * std::log(1 - q) + std::log(q),
              1e-12);
  EXPECT_NEAR(density("count", "NegativeBinomial(" + p + ", size = 2)", {3}, {{0.4}}),
              std::log(4) + 3 * std::log(1 - q) + 2 * std::log(q), 1e-12);
  EXPECT_NEAR(density("count", "Binomial(" + p + ", 5)", {3}, {{0.4}}),
              std::log(10) + 3 * std::log(q) + 2 * std::log(1 - q), 1e-12);
  EXPECT_NEAR(density("unit", "LogitNormal(" + p + ")", {0.5}, {{0.0}}),
              std::log(4) - 0.5 * std::log(2 * std::numbers::pi), 1e-12);
  EXPECT_NEAR(density("positive", "LogNormal(" + p + ")", {2}, {{std::log(2)}}),
              -std::log(2) - 0.5 * std::log(2 * std::numbers::pi), 1e-12);
  EXPECT_NEAR(density("angle", "VonMises(" + p + ", " + p + ")", {0.5}, {{0.0}, {0.0}}),
              -std::log(2 * std::numbers::pi), 1e-9);
  EXPECT_NEAR(density("simplex(3)", "Dirichlet(parameter([3]))", {0.2, 0.3, 0.5}, {{0, 0, 0}}), std::log(2),
              1e-12);
  EXPECT_NEAR(density("unit", "ContinuousBernoulli(" + p + ")", {0.3}, {{2.0}}),
              0.6 - std::log((std::exp(2) - 1) / 2), 1e-12);
  EXPECT_NEAR(density("unit[2]", "Uniform()", {0.3, 0.9}, {}), 0, 1e-12);
}

// d log p / d logits = statistic - mean, compared with finite differences of the density.
TEST(Derivative, OfTheDensityIsStatisticMinusMean) {
  OneConditional c("category(3)", "Categorical(parameter([3]))");
  const Numbers x = {0, 1, 0}, logits = {0.2, -0.4, 0.9};
  Build build{&c.model.graph, {}};
  const NodeId gradient = derivative(build, c.conditional().log_density, c.conditional().arguments[0]);
  const Numbers exact = c.value(gradient, x, {logits}), mean = c.mean({logits});
  for (size_t k = 0; k < 3; ++k) {
    Numbers up = logits, down = logits;
    up[k] += 1e-5;
    down[k] -= 1e-5;
    EXPECT_NEAR(exact[k], (c.log_density(x, {up}) - c.log_density(x, {down})) / 2e-5, 1e-8);
    EXPECT_NEAR(exact[k], x[k] - mean[k], 1e-12);
  }
}

TEST(Derivative, GoesThroughSlicesAndConcatenations) {
  Graph graph;
  Build build{&graph, {}};
  const NodeId x = build.leaf(Op::variable, 0, {3});
  const NodeId first = build.slice(x, {0, 1}), rest = build.slice(x, {1, 3});
  // x1 x0 + x2 x2, with the elements rearranged.
  const NodeId product = build.multiply(build.concat({rest, first}, 0), build.concat({first, rest}, 0));
  NumericEvaluator evaluate(graph, [](const Node&) { return Numbers{2, 3, 5}; });
  const NodeId slope = derivative(build, build.slice(product, {0, 1}), x);
  EXPECT_EQ(evaluate(slope), (Numbers{3, 2, 0}));
}

TEST(Mean, FollowsFromTheLogPartitionWhereTheStatisticIsX) {
  const OneConditional mine("real[2]", "Mine(parameter([2]), parameter([]))", R"(
family Mine(mean : real, log_std : real = 0) over x : real {
  statistic     = (x, x * x)
  natural       = (mean * exp(-2 * log_std), -0.5 * exp(-2 * log_std))
  log_partition = 0.5 * mean * mean * exp(-2 * log_std) + log_std
  log_base      = -0.5 * log(2 * pi)
  sample        = mean + exp(log_std) * normal()
})");
  ASSERT_FALSE(mine.report.has_errors()) << mine.errors();
  ASSERT_TRUE(mine.conditional().mean);
  EXPECT_NEAR(mine.mean({{0.5, -3}, {0.3}})[1], -3, 1e-12);
}

/// A family over one real number or a vector of them. Its statistics are x and x^2, written in different
/// ways.
struct Spelling {
  std::string name, parameters, statistic, natural, log_partition, log_base, sample;
  std::string domain = "real";
};

void PrintTo(const Spelling& spelling, std::ostream* out) { *out << spelling.name; }

class QuadraticPair : public testing::TestWithParam<Spelling> {};

// No term with the square of the mean is left: only the difference of statistic and mean is squared.
TEST_P(QuadraticPair, IsCompletedHoweverItIsSpelled) {
  const Spelling& s = GetParam();
  std::string arguments;
  for (const char c : s.parameters)
    if (c == ':') arguments += (arguments.empty() ? "" : ", ") + std::string("parameter([2])");
  if (s.parameters.find("fixed") != std::string::npos) arguments = "parameter([2]), 0.5";
  const bool vector = s.domain != "real";
  const OneConditional one(
      "real[2]", "Mine(" + arguments + ")",
      fmt::format(
          "family Mine({}) over x : {} {{ statistic = {}; natural = {}; log_partition = {}; log_base = {}; "
          "sample = {} }}",
          s.parameters, s.domain, s.statistic, s.natural, s.log_partition, s.log_base, s.sample));
  ASSERT_FALSE(one.report.has_errors()) << one.errors();
  const FamilyTemplate& t = *one.conditional().form;
  ASSERT_EQ(t.squares.size(), 1u);
  EXPECT_TRUE(t.squares[0].centred);
  EXPECT_EQ(t.squares[0].vector, vector);
  EXPECT_FALSE(depends_on(t.graph, t.rest_partition, t.squares[0].centre));
}

INSTANTIATE_TEST_SUITE_P(
    Of, QuadraticPair,
    testing::Values(
        Spelling{"Precision", "m : real, log_tau : real", "(square(x), x)",
                 "(-0.5 * exp(log_tau), exp(log_tau) * m)", "0.5 * exp(log_tau) * m ** 2 - 0.5 * log_tau",
                 "-0.5 * log(2 * pi)", "m + exp(-0.5 * log_tau) * normal()"},
        Spelling{"Variance", "m : real, v : positive", "(x, -x * x / 2)", "(m / v, 1 / v)",
                 "m * m / (2 * v) + 0.5 * log(v)", "-0.5 * log(2 * pi)", "m + sqrt(v) * normal()"},
        Spelling{"Deviation", "m : real, s : positive", "(x ** 2, 2 * x)",
                 "(-0.5 / (s * s), 0.5 * m / s ** 2)", "square(m / s) / 2 + log(s)", "-0.5 * log(2 * pi)",
                 "m + s * normal()"},
        Spelling{"Natural", "a : real, b : positive", "(x, x * x)", "(a, -b)",
                 "a * a / (4 * b) - 0.5 * log(2 * b)", "-0.5 * log(2 * pi)",
                 "a / (2 * b) + normal() / sqrt(2 * b)"},
        Spelling{"UnitVariance", "m : real", "x", "m", "0.5 * m * m", "-0.5 * x * x - 0.5 * log(2 * pi)",
                 "m + normal()"},
        Spelling{"FixedDeviation", "m : real, fixed s : positive", "x / s", "m / s", "0.5 * square(m / s)",
                 "-0.5 * square(x / s) - 0.5 * log(2 * pi) - log(s)", "m + s * normal()"},
        Spelling{"Vector", "m : real[K], s : real[K]", "(x, x * x)", "(m * exp(-2 * s), -0.5 * exp(-2 * s))",
                 "sum(0.5 * m * m * exp(-2 * s) + s)", "-0.5 * len(x) * log(2 * pi)", "m + exp(s) * normal()",
                 "real[K]"},
        Spelling{"UnitVector", "m : real[K]", "x", "m", "0.5 * sum(m * m)",
                 "-0.5 * sum(x * x) - 0.5 * len(x) * log(2 * pi)", "m + normal()", "real[K]"}),
    [](const testing::TestParamInfo<Spelling>& tested) { return tested.param.name; });

TEST(Start, IsADrawAtTheDefaultsOrAtPlainValues) {
  const OneConditional p("count[4]", "Poisson(parameter([4]))");
  EXPECT_TRUE(parameters_of(p.model.graph, p.conditional().initial).empty());
  EXPECT_EQ(p.model.graph[p.conditional().initial].shape, (Shape{4}));
}

TEST(StandardFamilies, PassTheirNumericCheck) {
  base::SourceSet sources;
  base::Report report(sources);
  Model model;
  Evaluator evaluator(model, sources, report);
  evaluator.check_standard_families();
  EXPECT_TRUE(report.diagnostics().empty()) << base::render_text(report, false);
}

/// The first diagnostic of a Bernoulli family in which one line of the declaration is changed.
base::Diagnostic refusal(const std::string& property, const std::string& value) {
  std::map<std::string, std::string> lines = {{"statistic", "x"},
                                              {"natural", "logit"},
                                              {"log_partition", "softplus(logit)"},
                                              {"sample", "uniform() < sigmoid(logit)"}};
  if (value.empty())
    lines.erase(property);
  else
    lines[property] = value;
  std::string text = "family Coin(logit : real) over x : binary {\n";
  for (const auto& [name, line] : lines) text += "  " + name + " = " + line + "\n";
  const OneConditional coin("binary", "Coin(parameter([]))", text + "}");
  EXPECT_EQ(coin.report.diagnostics().size(), 1u) << coin.errors();
  return coin.report.diagnostics().empty() ? base::Diagnostic{} : coin.report.diagnostics()[0];
}

TEST(NumericCheck, RefusesADeclarationThatContradictsItself) {
  EXPECT_EQ(refusal("log_partition", "softplus(2 * logit)").code, base::E0406);
  EXPECT_EQ(refusal("sample", "uniform() < sigmoid(2 * logit)").code, base::E0408);
  EXPECT_EQ(refusal("expected", "logit").code, base::E0409);
  EXPECT_EQ(refusal("log_density", "x * logit - 1.001 * softplus(logit)").code, base::E0409);
  EXPECT_EQ(refusal("log_density", "uniform()").code, base::E0412);
  EXPECT_EQ(refusal("statistic", "(x, x)").code, base::E0405);
  EXPECT_EQ(refusal("sample", "").code, base::E0403);
  EXPECT_EQ(refusal("samples", "1").code, base::E0404);
  const base::Diagnostic mass = refusal("log_partition", "softplus(2 * logit)");
  EXPECT_NE(mass.text_label.find("at logit = -0.8: it sums to"), std::string::npos) << mass.text_label;
}

TEST(NumericCheck, RefusesALogPartitionWhoseDerivativeIsNotTheMean) {
  // The mass is 1 to four digits, but the slope is wrong in the first digit.
  EXPECT_EQ(refusal("log_partition", "softplus(logit) + 1e-4 * sin(1000 * logit)").code, base::E0407);
}

/// A family over vectors of fixed length, with the log-partition given.
std::vector<base::Code> codes_of_vectors(const std::string& domain, const std::string& text) {
  const OneConditional vector(domain, "Vector(0)", text);
  std::vector<base::Code> codes;
  for (const auto& diagnostic : vector.report.diagnostics()) codes.push_back(diagnostic.code);
  return codes;
}

TEST(NumericCheck, IntegratesOverThreeCoordinatesAndDrawsBeyond) {
  for (const int n : {3, 6}) {
    const auto gaussian = [&](const std::string& slope) {
      return fmt::format(R"(family Vector(mean : real[{0}]) over x : real[{0}] {{
        statistic = x; natural = mean; log_partition = {1} * sum(mean * mean)
        log_base = -0.5 * sum(x * x) - 0.5 * len(x) * log(2 * pi); sample = mean + normal() }})",
                         n, slope);
    };
    const std::string domain = fmt::format("real[{}, 2]", n);
    EXPECT_EQ(codes_of_vectors(domain, gaussian("0.5")), std::vector<base::Code>{});
    EXPECT_EQ(codes_of_vectors(domain, gaussian("0.6")),
              std::vector{n == 3 ? base::Code::E0406 : base::Code::E0407});
  }
  for (const int n : {4, 7}) {
    const auto dirichlet = [&](const std::string& draw) {
      return fmt::format(R"(family Vector(log_alpha : real[{0}]) over x : simplex({0}) {{
        let alpha = exp(log_alpha); let g = gamma({1}); statistic = log(x); natural = alpha
        log_partition = sum(lgamma(alpha)) - lgamma(sum(alpha)); log_base = -sum(log(x)); sample = g / sum(g) }})",
                         n, draw);
    };
    const std::string domain = fmt::format("simplex({})", n);
    EXPECT_EQ(codes_of_vectors(domain, dirichlet("alpha")), std::vector<base::Code>{});
    EXPECT_EQ(codes_of_vectors(domain, dirichlet("2 * alpha")),
              std::vector{n == 4 ? base::Code::E0408 : base::Code::E0407});
  }
}

// The body describes one value. Numbers and lists in it are used at each position.
TEST(Template, TakesListsMatricesAndIndicesAtEachPosition) {
  const OneConditional ordinal("category(3)[2]", "Ordinal(parameter([2]))", R"(
family Ordinal(slope : real) over x : category(3) {
  statistic     = x
  natural       = slope
  log_partition = logsumexp(concat(0, slope, 2 * slope))
  sample        = argmax(slope * [0, 1, 2] + gumbel())
})");
  ASSERT_FALSE(ordinal.report.has_errors()) << ordinal.errors();
  const auto z = [](double s) { return std::log(1 + std::exp(s) + std::exp(2 * s)); };
  EXPECT_NEAR(ordinal.log_density({0, 1, 0, 0, 1, 0}, {{0.3, -0.7}}), 0.6 - z(0.3) - z(-0.7), 1e-12);
  const OneConditional turned("real[2, 3]", "Turned(parameter([2, 3]))", R"(
family Turned(mean : real[2]) over x : real[2] {
  let turned    = [[0, -1], [1, 0]] @ x
  statistic     = [turned[1], -turned[0]]
  natural       = reshape(transpose(reshape(mean, [2, 1]), [1, 0]), [2])
  log_partition = 0.5 * sum(mean * mean)
  log_base      = -0.5 * sum(turned * turned, axis = 0) - log(2 * pi)
  sample        = mean + normal()
})");
  ASSERT_FALSE(turned.report.has_errors()) << turned.errors();
  double expected = 0;
  const Numbers x = {1, -2, 3, 0.5, 0.1, -0.4}, mean = {0.3, 0.2, 0, -1, 2, 0.7};
  for (size_t i = 0; i < 6; ++i)
    expected -= 0.5 * (x[i] - mean[i]) * (x[i] - mean[i]) + 0.5 * std::log(2 * std::numbers::pi);
  EXPECT_NEAR(turned.log_density(x, {mean}), expected, 1e-12);
}

TEST(Domain, MustBeTheFamilys) {
  const OneConditional wrong("real", "Bernoulli(0)");
  ASSERT_FALSE(wrong.report.diagnostics().empty());
  EXPECT_EQ(wrong.report.diagnostics()[0].code, base::E0402);
  EXPECT_EQ(wrong.report.diagnostics()[0].message,
            "`Bernoulli` is a family over `binary`, and `x` is `real`");
}

}  // namespace
