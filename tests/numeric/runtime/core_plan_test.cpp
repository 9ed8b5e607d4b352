// How queries are answered: on the worked examples of section "The game" of the language, and in cases that
// it does not describe; with partly known variables; and which player draws if several could.
// links: vaert_core
#include "runtime/core/inference/plan.h"

#include <gtest/gtest.h>

#include "runtime/shared/failure.h"

namespace core {
namespace {

/// Variables are single letters. A conditional is "p: x|cz" for player p, or "s: z" for source s. Player p is
/// the decoder, q and later letters are encoders, and all others are plain players.
struct Model {
  Image image;

  Model(const std::string& variables, const std::vector<std::pair<std::string, std::string>>& owners,
        const std::vector<std::string>& conditionals) {
    for (const char name : variables) image.variables.push_back({std::string(1, name), "binary", 0, {}, {}});
    for (const auto& [name, role] : owners) {
      if (role == "source")
        image.sources.push_back({name, 1, {}, -1});
      else
        image.players.push_back({name, *schema::find_word<Role>(role), 0, {}});
    }
    for (const std::string& text : conditionals) {
      Conditional conditional;
      const std::string owner = text.substr(0, text.find(':'));
      conditional.player = image.player(owner);
      conditional.source = conditional.player < 0 ? image.source(owner) : -1;
      const std::string rest = text.substr(text.find(' ') + 1);
      conditional.target = image.variable(rest.substr(0, 1));
      for (size_t i = 2; i < rest.size(); ++i)
        conditional.parents.push_back(image.variable(rest.substr(i, 1)));
      if (conditional.source >= 0)
        image.sources[static_cast<size_t>(conditional.source)].known.push_back(conditional.target);
      image.conditionals.push_back(conditional);
    }
  }

  /// The query "z|x". Partly known variables follow a second bar: "x||x".
  Query query(const std::string& text) const {
    Query query;
    int side = 0;
    for (const char name : text) {
      if (name == '|') {
        ++side;
        continue;
      }
      const int variable = image.variable(std::string(1, name));
      if (side == 0) query.targets.push_back(variable);
      if (side == 1) query.known.insert(variable);
      if (side == 2) query.partial.insert(variable);
    }
    return query;
  }

  std::string plan(const std::string& text, std::map<int, int> by = {}) const {
    Query asked = query(text);
    asked.by = std::move(by);
    try {
      const Plan plan = make_plan(image, asked);
      std::string said = describe(image, plan);
      for (const Plan::Ignored& ignored : plan.ignored)
        said += " ! " + name_of_conditional(image, ignored.conditional) + " ignores " +
                image.variables[static_cast<size_t>(ignored.variable)].name;
      return said;
    } catch (const Failure& failure) {
      return failure.what();
    }
  }
};

const std::vector<std::pair<std::string, std::string>> pair = {{"p", "decoder"}, {"q", "encoder"}};

TEST(Plan, IsDirectWhereTheGameIs) {
  const Model model("xcz", pair, {"p: x|cz", "q: c|x", "q: z|cx"});
  EXPECT_EQ(model.plan("c|x"), "c ~ q(c | x)");
  EXPECT_EQ(model.plan("z|x"), "c ~ q(c | x); then z ~ q(z | c, x)");
  EXPECT_EQ(model.plan("z|cx"), "z ~ q(z | c, x)");
  EXPECT_EQ(model.plan("x|cz"), "x ~ p(x | c, z)");
}

TEST(Plan, IsAChainWhereVariablesWaitForOneAnother) {
  const Model model("xcz", pair, {"p: x|cz", "q: c|x", "q: z|cx"});
  EXPECT_EQ(model.plan("x|c"), "a chain of x ~ p(x | c, z), z ~ q(z | c, x)");
  EXPECT_EQ(model.plan("x|"), "a chain of x ~ p(x | c, z), c ~ q(c | x), z ~ q(z | c, x)");
}

TEST(Plan, IgnoresAsLittleAsItCanWhereTheGameHasNoAnswer) {
  const Model model("xcz", pair, {"p: x|cz", "q: c|x", "q: z|cx"});
  EXPECT_EQ(model.plan("c|xz"), "c ~ q(c | x) ! q(c | x) ignores z");
  EXPECT_EQ(model.plan("c|z"), "a chain of x ~ p(x | c, z), c ~ q(c | x) ! q(c | x) ignores z");
  EXPECT_EQ(model.plan("cx|z"), "a chain of x ~ p(x | c, z), c ~ q(c | x) ! q(c | x) ignores z");
}

TEST(Plan, TakesNoChainWhereTheGameDrawsDirectly) {
  const Model reverse("abx", pair, {"p: a", "p: b|a", "p: x|b", "q: b|x", "q: a|b"});
  EXPECT_EQ(reverse.plan("x|"), "a ~ p(a); then b ~ p(b | a); then x ~ p(x | b)");
  EXPECT_EQ(reverse.plan("a|x"), "b ~ q(b | x); then a ~ q(a | b)");
  const Model model("csux", pair, {"p: c", "p: s|c", "p: u|s", "p: x|uc", "q: u|xc", "q: s|u"});
  EXPECT_EQ(model.plan("x|c"), "s ~ p(s | c); then u ~ p(u | s); then x ~ p(x | u, c)");
  EXPECT_EQ(model.plan("xu|c"), model.plan("x|c"));
}

TEST(Plan, OfASourceDoesNotDependOnItsTargets) {
  const Model model("xcz", pair, {"p: x|cz", "q: c|x", "q: z|cx"});
  Query query = model.query("x|c");
  query.of_source = true;
  const std::string drawn = describe(model.image, make_plan(model.image, query));
  EXPECT_EQ(drawn, "a chain of x ~ p(x | c, z), z ~ q(z | c, x)");
  query.targets = {2};
  EXPECT_EQ(describe(model.image, make_plan(model.image, query)), drawn);
}

TEST(Plan, DrawsOnlyWhatTheTargetsNeed) {
  const Model model("csdzx",
                    {{"p", "player"}, {"q", "player"}, {"r", "player"}, {"t", "player"}, {"u", "player"}},
                    {"p: c|sz", "q: d|xs", "r: z|cs", "t: s|cdxz", "u: x|sd"});
  EXPECT_EQ(model.plan("z|cs"), "z ~ r(z | c, s)");
  EXPECT_EQ(model.plan("x|cs"), "a chain of d ~ q(d | x, s), x ~ u(x | s, d)");
  EXPECT_EQ(model.plan("cd|x"),
            "a chain of c ~ p(c | s, z), d ~ q(d | x, s), z ~ r(z | c, s), s ~ t(s | c, d, x, z)");
}

TEST(Plan, ReadsASourcesOwnFamilyWhereItIgnoresNothing) {
  const Model model("xcz", {{"p", "decoder"}, {"q", "encoder"}, {"s", "source"}},
                    {"p: x|cz", "q: c|x", "q: z|cx", "s: c", "s: z"});
  EXPECT_EQ(model.plan("x|c"), "z ~ s(z); then x ~ p(x | c, z)") << "s draws z independently of c";
  EXPECT_EQ(model.plan("x|"), "c ~ s(c); then z ~ s(z); then x ~ p(x | c, z)");
  EXPECT_EQ(model.plan("z|x"), "c ~ q(c | x); then z ~ q(z | c, x)") << "s would ignore x";
}

TEST(Plan, TakesNoFamilyOfASourceForAnInferenceFromWhatItReads) {
  Model model("xd", {{"p", "decoder"}, {"q", "encoder"}, {"s", "source"}}, {"p: x|d", "q: d|x", "s: d"});
  model.image.sources[0].known.push_back(0);  // source s { x = ...; d ~ ... }
  EXPECT_EQ(model.plan("d|x"), "d ~ q(d | x)");
  EXPECT_EQ(make_plan(model.image, model.query("d|x")).settled.size(), 0U);
}

TEST(Plan, TakesNoStartOfAChainForAPrior) {
  Model model("xz", pair, {"p: x|z", "q: z|x", "-: z"});  // belongs to no player and no source
  EXPECT_EQ(model.plan("x|"), "a chain of x ~ p(x | z), z ~ q(z | x)");
}

TEST(Plan, LetsEncodersGoFirstAndTheUserChoose) {
  const Model model("xz", {{"r", "player"}, {"p", "decoder"}, {"q", "encoder"}},
                    {"r: z|x", "p: x|z", "q: z|x"});
  EXPECT_EQ(model.plan("z|x"), "z ~ q(z | x)");
  const Plan plan = make_plan(model.image, model.query("z|x"));
  ASSERT_EQ(plan.settled.size(), 1U);
  EXPECT_EQ(name_of_conditional(model.image, plan.settled[0].other), "r(z | x)");
  EXPECT_EQ(model.plan("z|x", {{1, 0}}), "z ~ r(z | x)");
}

TEST(Plan, TakesTheUsersWord) {
  const Model model("xyz", {{"p", "decoder"}, {"q", "encoder"}, {"r", "encoder"}},
                    {"p: x|z", "p: y|z", "q: z|x", "r: z|y"});
  EXPECT_EQ(model.plan("z|xy"), "z ~ q(z | x) ! q(z | x) ignores y");
  EXPECT_EQ(model.plan("z|xy", {{2, 2}}), "z ~ r(z | y)") << "r on the user's word";
  EXPECT_EQ(model.plan("y|x"), "z ~ q(z | x); then y ~ p(y | z)");
}

TEST(Plan, LetsWhatIsKnownInPartTakeTurns) {
  const Model model("xz", {{"p", "decoder"}, {"q", "encoder"}, {"s", "source"}},
                    {"p: x|z", "q: z|x", "s: z"});
  EXPECT_EQ(model.plan("x||x"), "a chain of x ~ p(x | z), z ~ q(z | x)");
  EXPECT_EQ(model.plan("z||x"), "a chain of x ~ p(x | z), z ~ q(z | x)");
  const Model classes("xcz", pair, {"p: x|cz", "q: c|x", "q: z|cx"});
  EXPECT_EQ(classes.plan("x|c|x"), "a chain of x ~ p(x | c, z), z ~ q(z | c, x)");
  EXPECT_EQ(classes.plan("xc||x"), "a chain of x ~ p(x | c, z), c ~ q(c | x), z ~ q(z | c, x)");
}

TEST(Plan, DrawsOnceWhatDoesNotDependOnTheTurns) {
  const Model model("yxz", {{"p", "decoder"}, {"q", "encoder"}}, {"p: x|zy", "q: z|x", "p: y"});
  EXPECT_EQ(model.plan("x||x"), "y ~ p(y); then a chain of x ~ p(x | z, y), z ~ q(z | x) ! p(y) ignores x");
}

TEST(Plan, NamesWhatNobodyGives) {
  const Model model("xyz", {{"p", "decoder"}, {"q", "encoder"}}, {"p: x|z", "p: y|z"});
  EXPECT_EQ(model.plan("x|y"), "x needs z, which no player gives");
  EXPECT_EQ(model.plan("z|y"), "no player gives z");
  EXPECT_EQ(model.plan("x||x"), "nothing completes x from what is known of it");
}

TEST(Plan, RefusesWhatWouldIgnoreAllThatIsKnown) {
  const Model model("xz", {{"p", "decoder"}, {"s", "source"}}, {"p: x|z", "s: z"});
  EXPECT_EQ(model.plan("z|x"), "no player can draw `z` from the known variables: s(z) ignores x");
}

TEST(Plan, IsQuickForManyVariables) {
  std::string names;
  std::vector<std::string> conditionals;
  for (char name = 'a'; name <= 'z'; ++name) {
    names += name;
    if (name > 'a') conditionals.push_back(std::string("p: ") + name + "|" + static_cast<char>(name - 1));
  }
  const Model model(names, {{"p", "decoder"}}, conditionals);
  EXPECT_EQ(make_plan(model.image, model.query("z|a")).steps.size(), 25U);
}

}  // namespace
}  // namespace core
