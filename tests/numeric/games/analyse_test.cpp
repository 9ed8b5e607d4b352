// What a .vae file means: its names, players, sources and learn blocks, as the typed model.
// links: semantics
#include "compiler/semantics/analyse.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>

#include "compiler/syntax/parse.h"

namespace {
using nlohmann::json;
using semantics::Model;
using semantics::Op;
using semantics::Shape;

struct Analysed {
  std::unique_ptr<base::SourceSet> sources = std::make_unique<base::SourceSet>();
  std::unique_ptr<base::Report> report;
  Model model;

  std::string messages() const { return base::render_text(*report, false); }
  std::vector<std::string> codes() const {
    std::vector<std::string> list;
    for (const auto& diagnostic : report->diagnostics()) list.push_back(base::info(diagnostic.code).name);
    std::sort(list.begin(), list.end());
    return list;
  }
};

using Defines = std::vector<std::pair<std::string, std::string>>;

Analysed analyse(const std::string& text, const Defines& defines = {}) {
  Analysed result;
  result.report = std::make_unique<base::Report>(*result.sources);
  const base::FileId file = result.sources->add("folder/test.vae", text);
  const syntax::Tree tree = syntax::parse(file, *result.report);
  result.model = semantics::analyse(tree, {defines}, *result.sources, *result.report);
  return result;
}

Analysed analyse_well(const std::string& text, const Defines& defines = {}) {
  Analysed result = analyse(text, defines);
  EXPECT_EQ(result.messages(), "");
  return result;
}

const char* const digits = R"(
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

decoder p { x | z ~ Bernoulli(mlp(z, 512, 28 * 28)) }
encoder q { z | x ~ Bernoulli(mlp(x, 512, code)) }

learn symmetric { steps = 20_000; batch = 128; optimizer = adam(1e-3) }
learn elbo      { steps = 20_000; batch = 128; optimizer = adam(1e-3); estimator = zgr }
)";

int64_t elements(const Model& model, const semantics::Player& player) {
  int64_t sum = 0;
  for (const auto id : player.parameters) sum += semantics::count(model[id].shape);
  return sum;
}

TEST(Analyse, DigitsIsAModelOfTwoPlayersAndThreeSources) {
  const Model model = analyse_well(digits).model;
  EXPECT_EQ(model.name, "test");
  ASSERT_EQ(model.variables.size(), 2u);
  EXPECT_EQ(model.variables[0].shape, (Shape{28, 28}));
  EXPECT_EQ(model.variables[1].shape, (Shape{64}));
  ASSERT_EQ(model.players.size(), 2u);
  EXPECT_EQ(elements(model, model.players[0]), 64 * 512 + 512 + 512 * 784 + 784);
  EXPECT_EQ(elements(model, model.players[1]), 784 * 512 + 512 + 512 * 64 + 64);
  EXPECT_EQ(model[model.players[0].parameters[0]].name.substr(0, 4), "p.x.");
  ASSERT_EQ(model.conditionals.size(), 3u);
  EXPECT_EQ(model.conditionals[0].parents, (std::vector{semantics::VariableId{1}}));
  EXPECT_EQ(model.conditionals[0].parameters.size(), 4u);
  EXPECT_TRUE(model.conditionals[0].discrete);
  EXPECT_EQ(model.conditionals[2].player.index, -1);

  ASSERT_EQ(model.sources.size(), 3u);
  EXPECT_EQ(model.sources[2].weight, 0);
  const auto& given = model.sources[0].givens.at(0);
  ASSERT_EQ(model.graph[given.value].op, Op::column);
  EXPECT_EQ(model.graph[given.value].shape, (Shape{28, 28}));
  EXPECT_EQ(schema::write(model.columns[0].expression), json::parse(R"(
    {"op": "greater", "args": [
      {"op": "column", "name": "image", "table": {"op": "reader", "name": "mnist", "args": ["train"], "named": {}}},
      {"op": "number", "value": 0.4375}]})"));
  EXPECT_TRUE(model.sources[1].givens.at(0).drawn.has_value());

  ASSERT_EQ(model.learns.size(), 2u);
  EXPECT_EQ(model.learns[0].steps, 20'000);
  EXPECT_EQ(model.learns[0].batch, (std::map<std::string, int64_t>{{"codes", 128}, {"images", 128}}));
  EXPECT_EQ(model.learns[0].optimizers.at("q").numbers.at("lr"), 1e-3);
  EXPECT_EQ(model.learns[1].own["estimator"]["kind"], "zgr");
}

TEST(Analyse, DefinesReplaceParamsWithValuesOfTheirType) {
  EXPECT_EQ(analyse_well(digits, {{"code", "128"}}).model.variables[1].shape, (Shape{128}));
  EXPECT_EQ(analyse(digits, {{"code", "1.5"}}).codes(), std::vector<std::string>{"E0002"});
  EXPECT_EQ(analyse(digits, {{"cod", "1"}}).codes(), std::vector<std::string>{"E0002"});
  EXPECT_EQ(analyse(digits, {{"z", "1"}}).codes(), std::vector<std::string>{"E0002"});
  const std::string params = R"(
    param lr = 1e-3
    param name = "digits"
    param wide = false
    param widths = [1, 2]
    var x : real
    source s { x ~ Normal(lr) })";
  const auto values =
      analyse_well(params, {{"lr", "1"}, {"name", "a b"}, {"wide", "true"}, {"widths", "[3]"}}).model.params;
  EXPECT_EQ(values.at("name"), "\"a b\"");
  EXPECT_EQ(values.at("wide"), "true");
  EXPECT_EQ(values.at("widths"), "[3]");
  EXPECT_EQ(analyse(params, {{"widths", "[3, 0.5]"}}).codes(), std::vector<std::string>{"E0002"});
}

TEST(Analyse, DeclarationsStandInAnyOrder) {
  const Model model = analyse_well(R"(
    source s { x = few.image > threshold; c = few.label }
    let few = per_class(data, n, seed = 3)
    let data = mnist("train")
    var x : binary[side, side]
    var c : category(10)
    param side = len(widths) * 14
    param widths = [1, 2]
    param n = 10
    param threshold = 0.5)")
                          .model;
  EXPECT_EQ(model.variables[0].shape, (Shape{28, 28}));
  EXPECT_EQ(schema::write(model.columns.at(1).expression), json::parse(R"(
    {"op": "column", "name": "label", "table": {"op": "per_class", "args": [10], "named": {"seed": 3},
      "table": {"op": "reader", "name": "mnist", "args": ["train"], "named": {}}}})"));
}

const char* const ladder = R"(
  var x : binary[6]
  var z0 : binary[2]
  var z1 : binary[3]
  source images { x = npy("x.npy") }
  source generated { }
  encoder q {
    let (s0, s1) = (dense(x, 2), dense(x, 3))
    z0 | x      ~ Bernoulli(s0)
    z1 | z0, x  ~ Bernoulli(p.z1(z0) + s1)
  }
  decoder p {
    z0      ~ Bernoulli(0)
    z1 | z0 ~ Bernoulli(dense(z0, 3))
    x  | z1 ~ Bernoulli(dense(z1, 6))
  })";

TEST(Analyse, AReferenceSharesParametersThatStayTheOtherPlayers) {
  const Model model = analyse_well(ladder).model;
  EXPECT_EQ(elements(model, model.players[0]), 6 * 2 + 2 + 6 * 3 + 3);
  EXPECT_EQ(elements(model, model.players[1]), 2 * 3 + 3 + 3 * 6 + 6);
  const auto& z1_of_q = model[model.players[0].conditionals[1]];
  const auto& z1_of_p = model[model.players[1].conditionals[1]];
  EXPECT_EQ(z1_of_q.parameters.size(), 2u);
  const auto all = semantics::parameters_of(model.graph, z1_of_q.arguments[0]);
  EXPECT_EQ(all.size(), 4u);
  for (const auto id : semantics::parameters_of(model.graph, z1_of_p.arguments[0]))
    EXPECT_NE(std::find(all.begin(), all.end(), id), all.end());
  EXPECT_EQ(semantics::variables_of(model.graph, z1_of_q.arguments[0]).size(), 2u);
}

TEST(Analyse, AReferenceDependsOnWhatItIsGiven) {
  const Model model = analyse_well(R"(
    var x, y : binary[3]
    source s { x = npy("x.npy"); y = npy("y.npy") }
    player p { x | y ~ Bernoulli(dense(y, 3)) }
    player q { y | x ~ Bernoulli(p.x(2 * x)) })")
                          .model;
  const auto& conditional = model[model.players[1].conditionals[0]];
  EXPECT_EQ(semantics::variables_of(model.graph, conditional.arguments[0]),
            std::vector<semantics::VariableId>{{0}});
  EXPECT_TRUE(conditional.parameters.empty());
}

TEST(Analyse, LoopsAndConditionsUnrollOverArraysOfVariables) {
  const Model model = analyse_well(R"(
    param deep = true
    var x : binary[4]
    var z[3] : binary[2]
    source s { x = npy("x.npy") }
    source generated { }
    decoder p {
      z[0] ~ Bernoulli(0)
      for i in range(0, 2) { z[i + 1] | z[i] ~ Bernoulli(dense(z[i], 2)) }
      if deep { x | z[2] ~ Bernoulli(dense(z[2], 4)) } else { x | z[0] ~ Bernoulli(dense(z[0], 4)) }
    }
    encoder q {
      z[0] | x ~ Bernoulli(dense(x, 2))
      for i in [1, 2] { z[i] | z[i - 1], x ~ Bernoulli(p.z[i](z[i - 1]) + dense(x, 2)) }
    })")
                          .model;
  ASSERT_EQ(model.variables.size(), 4u);
  EXPECT_EQ(model.variables[2].name, "z[1]");
  EXPECT_EQ(model.players[0].conditionals.size(), 4u);
  EXPECT_EQ(model.players[1].conditionals.size(), 3u);
}

TEST(Analyse, NoiseIsDrawnInTheGraphOncePerCall) {
  const Model model = analyse_well(R"(
    var x, y : binary[4]
    var r : real[4]
    source s {
      let noisy = flip(npy("x.npy") > 0.5, 0.01)
      x = noisy
      y = noisy
      r = 2 * jitter(npy("r.npy"), 0.1) + 1
    })")
                          .model;
  int uniform = 0, normal = 0;
  for (const auto& node : model.graph.nodes) {
    // The families of the library draw too, in templates of their own.
    if (node.op == Op::uniform && node.shape == Shape{4}) ++uniform;
    if (node.op == Op::normal && node.shape == Shape{4}) ++normal;
  }
  EXPECT_EQ(uniform, 1);
  EXPECT_EQ(normal, 1);
  const auto& flipped = model.graph[model.sources[0].givens[0].value];
  ASSERT_EQ(flipped.op, Op::where);
  EXPECT_EQ(model.graph[flipped.inputs[2]].op, Op::column);
  EXPECT_EQ(model.graph[model.sources[0].givens[2].value].op, Op::add);
}

TEST(Analyse, ImagesTakeTheSizeOfTheirVariable) {
  const Model model = analyse_well(R"(
    var x : unit[3, 32, 48]
    var s : category(2)[32, 48]
    source pairs { x = images("photos/"); s = images("masks/", gray = true) }
    source large { x = images("photos/", size = 64)[0 : 10] })")
                          .model;
  EXPECT_EQ(schema::write(model.columns[0].expression)["named"]["size"], json::parse("[32, 48]"));
  EXPECT_EQ(schema::write(model.columns[1].expression)["named"]["size"], json::parse("[32, 48]"));
  const json sliced = schema::write(model.columns[2].expression);
  EXPECT_EQ(sliced["table"]["named"]["size"], 64);
  EXPECT_EQ(sliced["end"], 10);
}

TEST(Analyse, AConstantIsGivenToEveryRow) {
  const Model model = analyse_well(R"(
    var x : binary[4]
    var c : category(3)[2]
    source s { x = npy("x.npy"); c = 2 })")
                          .model;
  EXPECT_EQ(model.graph[model.sources[0].givens[1].value].shape, (Shape{3, 2}));
  EXPECT_EQ(analyse("var c : category(3)\nsource s { c = 3 }").codes(), std::vector<std::string>{"E0603"});
}

TEST(Analyse, CompletionWordsNameAVariableAndItsSampler) {
  const Model model = analyse_well(R"(
    var x : binary[4]
    var z : binary[2]
    source s { x = npy("x.npy"); complete { z ~ q } }
    source g { x = npy("x.npy"); complete gibbs(sweeps = 25) { z ~ Bernoulli(0) } }
    decoder p { x | z ~ Bernoulli(dense(z, 4)) }
    encoder q { z | x ~ Bernoulli(dense(x, 2)) })")
                          .model;
  ASSERT_EQ(model.sources[0].words.size(), 1u);
  EXPECT_EQ(model.sources[0].words[0].player.index, 1);
  EXPECT_FALSE(model.sources[0].gibbs);
  EXPECT_TRUE(model.sources[1].gibbs);
  EXPECT_EQ(model.sources[1].sweeps, 25);
  EXPECT_EQ(model.sources[1].gibbs_starts.size(), 1u);
}

TEST(Analyse, LearnKeysReachTheModel) {
  const Model model = analyse_well(R"(
    param n = 30
    var x : binary[4]
    var z : binary[2]
    source images { x = npy("x.npy") }
    source codes { z ~ Bernoulli(0) }
    decoder p { x | z ~ Bernoulli(dense(z, 4)) }
    encoder q { z | x ~ Bernoulli(dense(x, 2)) }
    learn symmetric as slow {
      steps = n; batch = {images: 10, codes: n}; optimizer = {p: sgd(0.1, momentum = 0.9), q: none}
      schedule = cosine(warmup = 5); clip = 1; seed = 7; order = simultaneous; precision = bf16
      sources = [codes, images]; start = "runs/a"; every = {log: 5}
    }
    learn libi { samples = 8; fit_steps = 1; constrain_steps = 2; refit_steps = 3; epsilon = 0.1 })")
                          .model;
  const auto& slow = model.learns.at(0);
  EXPECT_EQ(slow.name, "slow");
  EXPECT_EQ(slow.steps, 30);
  EXPECT_EQ(slow.batch.at("codes"), 30);
  EXPECT_EQ(slow.optimizers.at("p").kind, "sgd");
  EXPECT_EQ(slow.optimizers.at("p").numbers.at("momentum"), 0.9);
  EXPECT_EQ(slow.optimizers.at("q").kind, "none");
  EXPECT_EQ(slow.schedule.kind, "cosine");
  EXPECT_EQ(slow.schedule.warmup, 5);
  EXPECT_EQ(slow.clip, 1);
  EXPECT_EQ(slow.seed, 7u);
  EXPECT_EQ(slow.order, "simultaneous");
  EXPECT_EQ(slow.precision, "bf16");
  EXPECT_EQ(slow.sources.size(), 2u);
  EXPECT_EQ(slow.start, "runs/a");
  EXPECT_EQ(slow.every.at("log"), 5);
  EXPECT_EQ(slow.every.at("sample"), 1000);
  EXPECT_EQ(model.learns.at(1).steps, 6);
  EXPECT_EQ(model.learns.at(1).own["samples"], 8);
}

TEST(Analyse, ALostNameCausesOneError) {
  // z is declared wrongly, so statements that use z are not reported as well.
  EXPECT_EQ(analyse(R"(
    var x : binary[4]
    var z : binry[2]
    source images { x = npy("x.npy") }
    source codes { z ~ Bernoulli(0) }
    decoder p { x | z ~ Bernoulli(dense(z, 4)) }
    encoder q { z | x ~ Bernoulli(dense(x, 2)) }
    encoder r { z | x ~ Bernoulli(q.z(x)) })")
                .codes(),
            std::vector<std::string>{"E0203"});
  // The same holds if a declaration is missing, for targets, parents and arguments.
  EXPECT_EQ(analyse(R"(
    var x : binary[4]
    source images { x = npy("x.npy") }
    source codes { z ~ Bernoulli(0) }
    decoder p { x | z ~ Bernoulli(dense(z, 4)) }
    encoder q { z | x ~ Bernoulli(dense(x, 2)) }
    player r { x ~ Bernoulli(dense(z, 4)) })")
                .codes(),
            std::vector<std::string>{"E0202"});
  EXPECT_EQ(analyse("var x : binary\nsource s { x ~ Bernoulli(0) }\nlearn symmetric { step = 3 }").codes(),
            std::vector<std::string>{"E0803"});
}

TEST(Analyse, TheTextOfAModelNamesOnlyWhatItUses) {
  const Model model = analyse_well(ladder).model;
  const std::string text = semantics::print(model);
  EXPECT_EQ(text, semantics::print(analyse_well(ladder).model));
  EXPECT_NE(text.find("encoder q\n  35 parameters\n"), std::string::npos) << text;
  EXPECT_NE(text.find("z1 | z0, x ~ Bernoulli(%"), std::string::npos) << text;
}

}  // namespace
