// Expressions of nets become graphs of the right shapes, parameters and values.
// links: semantics
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "compiler/semantics/analyse.h"
#include "compiler/semantics/expressions/evaluator.h"
#include "compiler/semantics/graph/build.h"
#include "compiler/semantics/graph/evaluate_numeric.h"
#include "compiler/syntax/parse.h"

using namespace semantics;

namespace {

/// An analysed file, with the text of the report.
struct Analysed {
  base::SourceSet sources;
  base::Report report{sources};
  syntax::Tree tree;
  Model model;

  explicit Analysed(const std::string& text, const std::string& name = "test.vae") {
    tree = syntax::parse(sources.add(name, text), report);
    model = analyse(tree, {}, sources, report);
  }
  std::string errors() const { return base::render_text(report, false); }
};

std::string read(const std::string& path) {
  std::ifstream stream(std::string(VAEC_ROOT) + "/" + path);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

const Conditional& conditional(const Model& model, std::string_view player, std::string_view target) {
  for (const Conditional& c : model.conditionals)
    if (c.player.index >= 0 && model[c.player].name == player && model[c.target].name == target) return c;
  throw std::runtime_error("no conditional " + std::string(player) + "." + std::string(target));
}

int64_t elements(const Model& model, const std::vector<ParameterId>& parameters) {
  int64_t total = 0;
  for (const ParameterId id : parameters) total += count(model[id].shape);
  return total;
}

/// The value of `expr` in a net of the vector h = [1, 2, 3, 4, 5, 6], without parameters.
Numbers value_of(const std::string& expr, Shape* shape = nullptr) {
  base::SourceSet sources;
  base::Report report(sources);
  const syntax::Tree tree = syntax::parse(sources.add("test.vae", "net f(h) = " + expr + "\n"), report);
  Model model;
  model.variables.push_back({"h", {DomainKind::real, 0}, {6}, {}});
  Evaluator evaluator(model, sources, report);
  Value net;
  net.kind = Value::Kind::net;
  net.net = &std::get<syntax::NetDecl>(tree.declarations.at(0).kind);
  net.net_scope = &evaluator.top();
  evaluator.top().names["f"] = net;
  Value h;
  h.kind = Value::Kind::tensor;
  h.node = evaluator.variable_node({0});
  evaluator.top().names["h"] = h;
  const syntax::Tree call = syntax::parse(sources.add("call.vae", "let y = f(h)\n"), report);
  const auto& let = std::get<syntax::LetDecl>(call.declarations.at(0).kind);
  const Value y = evaluator.evaluate(*let.assign.value, evaluator.top(), {});
  EXPECT_FALSE(report.has_errors()) << base::render_text(report, false);
  if (y.kind == Value::Kind::integer) return {static_cast<double>(y.integer)};
  if (y.kind == Value::Kind::real) return {y.real};
  if (y.kind == Value::Kind::boolean) return {y.boolean ? 1.0 : 0.0};
  if (y.kind != Value::Kind::tensor) return {};
  if (shape) *shape = model.graph[y.node].shape;
  NumericEvaluator evaluate(model.graph, [](const Node&) { return Numbers{1, 2, 3, 4, 5, 6}; });
  return evaluate(y.node);
}

void expect_values(const std::string& expr, const Numbers& expected) {
  const Numbers given = value_of(expr);
  ASSERT_EQ(given.size(), expected.size()) << expr;
  for (size_t i = 0; i < given.size(); ++i) EXPECT_NEAR(given[i], expected[i], 1e-9) << expr << " at " << i;
}

// A loop over the values of an evaluator that is made in the loop's head reads a copy.
static_assert(!std::is_reference_v<decltype(std::declval<NumericEvaluator>()(NodeId{}))>);

TEST(CompileTimeArithmetic, KeepsIntegersAndRealsApart) {
  expect_values("7 / 2", {3.5});
  expect_values("div(-7, 2)", {-4});
  expect_values("-7 % 3", {2});
  expect_values("-2 ** 2", {-4});
  expect_values("2 ** 3 ** 2", {512});
  expect_values("len([1, 2, 3]) + [4, 5][-1]", {8});
  expect_values("max(3, min(9, 5))", {5});
}

TEST(TensorFunctions, HaveTheValuesOfTheirDefinitions) {
  expect_values("h[1:3] * 2", {4, 6});
  expect_values("h[-1]", {6});
  expect_values("sum(h)", {21});
  expect_values("mean(reshape(h, [2, 3]), axis = 1)", {2, 5});
  expect_values("transpose(reshape(h, [2, 3]), [1, 0])", {1, 4, 2, 5, 3, 6});
  expect_values("reshape(h, [2, 3]) @ reshape(h, [3, 2])", {22, 28, 49, 64});
  expect_values("concat(h[0:2], 9)", {1, 2, 9});
  expect_values("avg_pool(reshape(h, [2, 3]), 2)", {3});
  expect_values("max_pool(reshape(h, [1, 2, 3]), [2, 1])", {4, 5, 6});
  expect_values("upsample(reshape(h[0:2], [1, 1, 2]), 2)", {1, 1, 2, 2, 1, 1, 2, 2});
  expect_values("logsumexp(h)", {std::log(std::exp(1) + std::exp(2) + std::exp(3) + std::exp(4) +
                                          std::exp(5) + std::exp(6))});
  expect_values("sum(softmax(h * 100))", {1});
  expect_values("where(h > 3, h, -h)", {-1, -2, -3, 4, 5, 6});
  expect_values("leaky_relu(h - 3)[0:2]", {-0.02, -0.01});
  expect_values("elu(h - 2)[0]", {std::exp(-1.0) - 1});
  expect_values("gelu(h)[0]", {0.5 * (1 + std::erf(1 / std::sqrt(2.0)))});
  expect_values("silu(h)[1]", {2 / (1 + std::exp(-2.0))});
  expect_values("erf(h[0:2])", {std::erf(1), std::erf(2)});
  expect_values("hypot(h[2:4], [4, 3])", {5, 5});
  expect_values("hypot(reshape(h[2:4], [2, 1]), reshape(h[2:4], [1, 2]))",
                {std::hypot(3, 3), 5, 5, std::hypot(4, 4)});
  expect_values("hypot(h[2], 1e200)", {1e200});
}

TEST(TensorFunctions, StretchAxesOfLengthOneOnEqualRank) {
  Shape shape;
  value_of("reshape(h, [6, 1]) + reshape(h, [1, 6])", &shape);
  EXPECT_EQ(shape, (Shape{6, 6}));
}

// <conv(x, w), y> = <x, deconv(y, w)>. The two layouts of weights in PyTorch make conv and deconv adjoint
// without any change of the weights.
TEST(Convolutions, AreAdjointOfEachOther) {
  Graph graph;
  Build build{&graph, {}};
  const NodeId x = build.leaf(Op::variable, 0, {2, 5, 6}), w = build.leaf(Op::variable, 1, {3, 2, 3, 2});
  const NodeId y = build.leaf(Op::variable, 2, {3, 3, 4});
  const std::vector<int64_t> steps = {2, 2, 1, 1};
  const NodeId forward = build.convolution(Op::conv, x, w, steps, {3, 3, 4});
  const NodeId back = build.convolution(Op::deconv, y, w, steps, {2, 5, 6});
  NumericEvaluator evaluate(graph, [](const Node& leaf) {
    Numbers numbers(static_cast<size_t>(count(leaf.shape)));
    for (size_t i = 0; i < numbers.size(); ++i)
      numbers[i] = std::sin(static_cast<double>(i * 7) + leaf.index);
    return numbers;
  });
  const Numbers a = evaluate(forward), b = evaluate(y), c = evaluate(x), d = evaluate(back);
  double left = 0, right = 0;
  for (size_t i = 0; i < a.size(); ++i) left += a[i] * b[i];
  for (size_t i = 0; i < c.size(); ++i) right += c[i] * d[i];
  EXPECT_NEAR(left, right, 1e-9);
}

TEST(StandardNets, HaveTheShapesThatTheirCommentsSay) {
  Analysed file(R"(
import nets
var x, y : real[3, 8, 8]
var z, w : real[10]
source data { x = npy("x.npy"); y = npy("y.npy"); w = npy("w.npy") }
source codes { z ~ Normal(0) }
decoder p {
  x | z ~ Normal(conv_decoder(z, [16, 2, 2], [8, 4], 3))
  y | x ~ Normal(unet(x, 4, 3))
  w | z ~ Normal(mlp(residual(z, 7), [16, 16], 10))
}
encoder q { z | x ~ Normal(conv_encoder(x, [8, 16], 10)) }
encoder r {
  let (s0, s1) = ladder(x, 20, 10, 5)
  z | x ~ Normal(s0 + mean(s1))
}
)");
  EXPECT_FALSE(file.report.has_errors()) << file.errors();
  EXPECT_EQ(elements(file.model, conditional(file.model, "p", "w").parameters),
            (10 * 7 + 7) + (7 * 10 + 10) + (10 * 16 + 16) + (16 * 16 + 16) + (16 * 10 + 10));
}

TEST(Digits, HasTheShapesAndParametersOfItsNets) {
  Analysed digits(read("examples/digits/digits.vae"));
  ASSERT_FALSE(digits.report.has_errors()) << digits.errors();
  const Conditional& p = conditional(digits.model, "p", "x");
  EXPECT_EQ(elements(digits.model, p.parameters), 64 * 512 + 512 + 512 * 784 + 784);
  EXPECT_EQ(digits.model.graph[p.arguments[0]].shape, (Shape{28, 28}));
  EXPECT_EQ(digits.model.graph[p.log_density].shape, Shape{});
  EXPECT_EQ(digits.model.graph[p.mean].shape, (Shape{28, 28}));
  EXPECT_EQ(digits.model.graph[p.sample].shape, (Shape{28, 28}));
  EXPECT_TRUE(p.discrete);
  EXPECT_TRUE(variables_of(digits.model.graph, p.initial).empty());
  const Parameter& weight = digits.model[p.parameters[0]];
  EXPECT_EQ(weight.name, "p.x.dense1.weight");
  EXPECT_EQ(weight.initial.kind, Initial::Kind::uniform);
  EXPECT_DOUBLE_EQ(weight.initial.scale, 1 / std::sqrt(64.0));
}

TEST(Hierarchies, HaveThePublishedNumbersOfParameters) {
  Analysed ladder(read("examples/ladder/ladder.vae"));
  ASSERT_FALSE(ladder.report.has_errors()) << ladder.errors();
  EXPECT_EQ(elements(ladder.model, ladder.model.players[1].parameters), 2'202'386);
  EXPECT_EQ(elements(ladder.model, conditional(ladder.model, "p", "z1").parameters), 442'300);
  EXPECT_EQ(elements(ladder.model, conditional(ladder.model, "p", "x").parameters), 375'457);
  Analysed reverse(read("examples/reverse/reverse.vae"));
  ASSERT_FALSE(reverse.report.has_errors()) << reverse.errors();
  EXPECT_EQ(elements(reverse.model, conditional(reverse.model, "q", "z1").parameters), 1'460'156);
  EXPECT_EQ(elements(reverse.model, conditional(reverse.model, "q", "z0").parameters), 802'830);
}

TEST(Layers, StartAsPyTorchStartsThem) {
  Analysed file(R"(
var x : real[4, 5, 5]
var z : real[3]
source data { x = npy("x.npy") }
source codes { z ~ Normal(0) }
player p { x | z ~ Normal(deconv(reshape(dense(z, 27, init = "xavier"), [3, 3, 3]), 4, kernel = 3)) }
player q { z | x ~ Normal(dense(conv(x, 2, kernel = [3, 5], bias = false), 3)) }
)");
  ASSERT_FALSE(file.report.has_errors()) << file.errors();
  std::map<std::string, Parameter> by_name;
  for (const Parameter& parameter : file.model.parameters) by_name[parameter.name] = parameter;
  EXPECT_DOUBLE_EQ(by_name.at("p.x.dense1.weight").initial.scale, std::sqrt(6.0 / (3 + 27)));
  EXPECT_DOUBLE_EQ(by_name.at("p.x.dense1.bias").initial.scale, 1 / std::sqrt(3.0));
  // torch.nn.init takes axis 1 of [in, out, kh, kw] as the number of inputs.
  EXPECT_EQ(by_name.at("p.x.deconv1.weight").shape, (Shape{3, 4, 3, 3}));
  EXPECT_DOUBLE_EQ(by_name.at("p.x.deconv1.weight").initial.scale, 1 / std::sqrt(4.0 * 9));
  EXPECT_EQ(by_name.at("q.z.conv1.weight").shape, (Shape{2, 4, 3, 5}));
  EXPECT_FALSE(by_name.contains("q.z.conv1.bias"));
}

TEST(Nets, DeclaredInsideAPlayerShareTheirParameters) {
  Analysed file(R"(
var x : real[6]
var z : real[6]
source data { x = npy("x.npy") }
source codes { z ~ Normal(0) }
player p {
  net cell(h) = tanh(dense(h, 6))
  x | z ~ Normal(cell(cell(z)))
}
net cell(h) = tanh(dense(h, 6))
player q { z | x ~ Normal(cell(cell(x))) }
)");
  ASSERT_FALSE(file.report.has_errors()) << file.errors();
  EXPECT_EQ(elements(file.model, file.model.players[0].parameters), 42);
  EXPECT_EQ(elements(file.model, file.model.players[1].parameters), 84);
}

TEST(Nets, CallThemselvesOnlySoFar) {
  Analysed file(R"(
var x : real[2]
net f(h) = f(h) + f(h)
source data { x = npy("x.npy") }
player p { x ~ Normal(f(parameter([2]))) }
)");
  ASSERT_EQ(file.report.diagnostics().size(), 1u) << file.errors();
  EXPECT_EQ(file.report.diagnostics()[0].code, base::E0227);
}

TEST(Errors, ShowBothShapesAndWhereEachComesFrom) {
  Analysed file(R"(// 64 coin flips behind every digit.
param code = 64

var x : binary[28, 28]
var z : binary[code]

source images  { x = mnist("train").image > 0.4375 }
source codes   { z ~ Bernoulli(0) }
source heldout weight 0 { x = mnist("test").image > 0.4375 }

net mlp(input, hidden, output) {
  h = relu(dense(input, hidden))
  return dense(h, output)
}


decoder p { x | z ~ Bernoulli(mlp(z, 512, 700)) }
encoder q { z | x ~ Bernoulli(mlp(x, 512, code)) }
)",
                "digits.vae");
  EXPECT_EQ(file.errors(), R"(error[E0302]: shapes do not match
  --> digits.vae:17:31
   |
17 | decoder p { x | z ~ Bernoulli(mlp(z, 512, 700)) }
   |                               ^^^^^^^^^^^^^^^^ `logit` needs 784 elements, [28, 28] like x; this gives [700]
   |
note: x is declared here
  --> digits.vae:4:5
)");
}

TEST(Errors, NameTheNearestAndWhatAFunctionTakes) {
  const auto first_error = [](const std::string& expr) {
    Analysed file("var x : real[6]\nsource data { x = npy(\"x.npy\") }\nplayer p { x ~ Normal(" + expr +
                  ") }\n");
    EXPECT_EQ(file.report.diagnostics().size(), 1u) << file.errors();
    return file.report.diagnostics().empty() ? base::Diagnostic{} : file.report.diagnostics()[0];
  };
  EXPECT_EQ(first_error("parametr([6])").text_help, "did you mean `parameter`?");
  EXPECT_EQ(first_error("parameter([6], start = 1)").code, base::E0221);
  EXPECT_EQ(first_error("parameter([6]) + parameter([5])").code, base::E0302);
  EXPECT_EQ(first_error("dense(parameter([6]))").code, base::E0223);
  EXPECT_EQ(first_error("parameter([6])[7]").code, base::E0303);
  EXPECT_EQ(first_error("conv(parameter([6]), 1, kernel = 2)").code, base::E0302);
  EXPECT_EQ(first_error("1 / 0").code, base::E0306);
  EXPECT_EQ(first_error("softmax(parameter([6]), axis = 1)").code, base::E0307);
}

}  // namespace
