// The worked examples of section "The game" of the language, on plain indices: who completes which variable,
// and which conditionals get a term.
// links: vaert_completion
#include "runtime/completion/completion.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <sstream>
#include <string>

#include "runtime/completion/chain.h"
#include "tests/numeric/support/completion_enumerated.h"

namespace {
using completion::Conditional;
using completion::Draw;
using completion::Players;
using completion::Step;

/// A model as text: variables are single letters, one player a line, as in "p: x|cz z|".
/// A conditional with `!` has no parameters.
struct Model {
  explicit Model(const std::string& text) {
    std::istringstream lines(text);
    std::vector<Conditional> conditionals;
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string word;
      words >> word;
      names += word[0];
      while (words >> word) {
        Conditional& conditional = conditionals.emplace_back();
        conditional.player = static_cast<int>(names.size()) - 1;
        conditional.target = variable(word[0]);
        conditional.learned = word.find('!') == std::string::npos;
        for (size_t i = 2; i < word.size() && word[i] != '!'; ++i)
          conditional.parents.push_back(variable(word[i]));
      }
    }
    players.emplace(static_cast<int>(variables.size()), std::move(conditionals));
  }

  int variable(char name) {
    if (variables.find(name) == std::string::npos) variables += name;
    return static_cast<int>(variables.find(name));
  }

  std::string name(int conditional) const {
    const Conditional& entry = (*players)[conditional];
    return std::string(1, names[static_cast<size_t>(entry.player)]) + "." +
           variables[static_cast<size_t>(entry.target)];
  }

  completion::Completion complete(const std::string& known, const std::string& words = "") const {
    completion::Variables set;
    for (const char c : known) set.insert(static_cast<int>(variables.find(c)));
    std::map<int, int> words_of;  // "zq": z is drawn by q
    for (size_t i = 0; i + 1 < words.size(); i += 2)
      words_of[static_cast<int>(variables.find(words[i]))] = static_cast<int>(names.find(words[i + 1]));
    return completion::complete(*players, set, words_of);
  }

  /// The steps and the terms: "[p.y q.z]; p.x p.y q.z", with chains in brackets; or "ambiguous p.x q.z".
  std::string game(const std::string& known, const std::string& words = "") const {
    completion::Completion completed = complete(known, words);
    if (completed.ambiguity)
      return "ambiguous " + name(completed.ambiguity->first.conditional) + " " +
             name(completed.ambiguity->second.conditional);
    const completion::Terms terms = completion::terms_of(*players, completed);
    completion::Variables needed;
    std::string listed;
    for (const int term : terms.conditionals) {
      listed += " " + name(term);
      needed.insert((*players)[term].target);
      needed.insert((*players)[term].parents.begin(), (*players)[term].parents.end());
    }
    completion::prune(*players, completed.steps, needed);
    std::string text;
    for (const Step& step : completed.steps) {
      std::string draws;
      for (const Draw& draw : step.draws)
        draws += (draws.empty() ? "" : " ") + name(draw.conditional) + (draw.word ? "*" : "");
      text += (text.empty() ? "" : " ") + (step.chain ? "[" + draws + "]" : draws);
    }
    return text + ";" + listed;
  }

  std::optional<Players> players;
  std::string variables, names;
};

TEST(completion, class_and_code) {
  const Model model("p: x|cz\nq: c|x z|cx");
  EXPECT_EQ(model.game("xc"), "q.z; p.x q.c");
  EXPECT_EQ(model.game("x"), "q.c q.z; p.x");
  EXPECT_EQ(model.game("cz"), "p.x; q.c q.z");
  EXPECT_EQ(model.game("c"), "[p.x q.z]; p.x q.c q.z");
  EXPECT_EQ(model.game(""), "[p.x q.c q.z]; p.x q.c q.z");
  EXPECT_EQ(model.game("xz"), ";") << "c ~ q would ignore z";
  EXPECT_EQ(model.game("z"), ";");
  EXPECT_EQ(model.game("xz", "cq"), "q.c*; p.x q.z") << "unless the author says that it may";
}

TEST(completion, a_learned_class_makes_the_code_enough) {
  const Model model("p: c| x|cz\nq: c|x z|cx");
  EXPECT_EQ(model.game("z"), "p.c p.x; q.c q.z");
}

TEST(completion, hierarchy) {
  const Model model("p: a|! b|a x|b\nq: a|x b|ax");
  EXPECT_EQ(model.game("x"), "q.a q.b; p.b p.x");
  EXPECT_EQ(model.game(""), "p.a p.b p.x; q.a q.b");
}

TEST(completion, two_encoders) {
  const std::string two = "p: x|z y|z\nq: z|x\nr: z|y";
  EXPECT_EQ(Model(two).game("x"), "q.z p.y; p.x r.z");
  EXPECT_EQ(Model(two).game("xy"), ";") << "each encoder ignores the other view";
  EXPECT_EQ(Model(two + "\ns: z|xy").game("xy"), "s.z; p.x p.y q.z r.z");
}

TEST(completion, a_classifier_beside) {
  const Model model("p: z| x|z\nq: z|x\nr: y|x");
  EXPECT_EQ(model.game("xy"), "q.z; p.z p.x r.y");
  EXPECT_EQ(model.game("y"), ";");
}

TEST(completion, triangle) {
  const Model model("p: a|bc\nq: b|ac\nr: c|ab");
  EXPECT_EQ(model.game("ab"), "r.c; p.a q.b");
  EXPECT_EQ(model.game("a"), "[q.b r.c]; p.a q.b r.c");
}

TEST(completion, five_players) {
  const Model model("p: c|sz\nq: d|xs\nr: z|cs\nt: s|cdxz\nu: x|sd");
  EXPECT_EQ(model.game("cdx"), "[r.z t.s]; p.c q.d r.z t.s u.x");
  EXPECT_EQ(model.game("cs"), "r.z [q.d u.x]; p.c q.d t.s u.x");
}

TEST(completion, two_draws_of_one_variable_are_ambiguous) {
  const Model model("p: x|z\nq: z|x\nr: z|x");
  const completion::Completion completed = model.complete("x");
  ASSERT_TRUE(completed.ambiguity);
  EXPECT_EQ(completed.ambiguity->kind, completion::Ambiguity::Kind::one_target);
  EXPECT_EQ(model.game("x", "zr"), "r.z*; p.x q.z");
  ASSERT_TRUE(model.complete("").ambiguity);
  EXPECT_EQ(model.complete("").ambiguity->kind, completion::Ambiguity::Kind::one_target_in_a_chain);
}

TEST(completion, a_draw_that_makes_another_impossible_is_ambiguous) {
  // r.y is the first possible draw. After it q.z is still possible, because q reads y elsewhere. After q.z,
  // r.y is not.
  const Model model("r: y|x\np: x|z y|z\nq: z|x w|y");
  const completion::Completion completed = model.complete("x");
  ASSERT_TRUE(completed.ambiguity);
  EXPECT_EQ(completed.ambiguity->kind, completion::Ambiguity::Kind::one_excludes_the_other);
  EXPECT_EQ(model.name(completed.ambiguity->made), "q.z");
  EXPECT_EQ(model.name(completed.ambiguity->lost), "r.y");
}

TEST(completion, a_dropped_draw_counts_as_known_to_its_player) {
  // p cannot draw z, because z's child x is known. q draws z, and p draws y in the same chain.
  const Model model("p: z|! x|z y|xz\nq: z|xy");
  EXPECT_EQ(model.game("x"), "[p.y q.z]; p.x p.y q.z");
  EXPECT_EQ(model.game("xy"), "q.z; p.x p.y");
  // One more level: p drops b because b's child c is known. Then d, given b, stays allowed.
  EXPECT_EQ(Model("p: a|! b|a c|b d|bc\nq: b|dac a|c").game("c"), "q.a [p.d q.b]; p.b p.c p.d q.b");
}

TEST(completion, ranks_settle_what_is_ambiguous) {
  const Model model("p: x|z\nq: z|x\nr: z|x");  // conditionals p.x, q.z, r.z
  const auto drawn = [&](const completion::Variables& known, const std::vector<int>& rank) {
    const completion::Completion completed = completion::complete(*model.players, known, {}, rank);
    EXPECT_EQ(completed.settled.size(), 1U);
    EXPECT_FALSE(completed.ambiguity);
    std::string text;
    for (const Step& step : completed.steps)
      for (const Draw& draw : step.draws) text += model.name(draw.conditional) + " ";
    return text;
  };
  EXPECT_EQ(drawn({0}, {0, 0, 0}), "q.z ");
  EXPECT_EQ(drawn({0}, {0, 1, 0}), "r.z ");
  EXPECT_EQ(drawn({}, {0, 0, 1}), "p.x q.z ") << "in a chain too";
  EXPECT_EQ(drawn({}, {0, 1, 0}), "p.x r.z ");
}

TEST(completion, a_variable_of_nobody_stays_missing) {
  const Model model("p: x|z\nq: z|x");
  EXPECT_TRUE(completion::complete(*model.players, {0}, {{1, -1}}).steps.empty());
}

TEST(completion, what_nobody_gives_stays_missing) {
  const Model model("p: x|z");
  EXPECT_TRUE(model.complete("x").steps.empty());
  EXPECT_EQ(model.complete("x").completed, (completion::Variables{0}));
  const completion::Terms terms = completion::terms_of(*model.players, model.complete("x"));
  ASSERT_EQ(terms.left_out.size(), 1U);
  EXPECT_EQ(terms.left_out[0].missing, (completion::Variables{1}));
}

TEST(completion, a_constant_source_completes_nothing) {
  const Players players(1, {{.player = -1, .target = 0}});
  EXPECT_TRUE(completion::complete(players, {}).steps.empty());
}

TEST(completion, many_variables_that_wait_for_nothing_are_quick) {
  // 30 codes, each of which waits for the previous one. There is no chain, and subsets must not be searched.
  std::vector<Conditional> conditionals;
  for (int i = 0; i + 1 < 30; ++i) conditionals.push_back({.player = 0, .target = i + 1, .parents = {i}});
  EXPECT_TRUE(completion::complete(Players(30, conditionals), {}).steps.empty());
}

/// A ring: each variable waits for its two neighbours, and each has a player of its own.
std::vector<Conditional> ring(int size) {
  std::vector<Conditional> conditionals;
  for (int i = 0; i < size; ++i)
    conditionals.push_back({.player = i, .target = i, .parents = {(i + size - 1) % size, (i + 1) % size}});
  return conditionals;
}

TEST(completion, a_ring_of_any_size_is_one_chain) {
  for (const int size : {3, 13, 16, 17, 50, 300}) {
    const completion::Completion found = completion::complete(Players(size, ring(size)), {});
    ASSERT_EQ(found.steps.size(), 1U) << size;
    EXPECT_TRUE(found.steps[0].chain && found.steps[0].draws.size() == static_cast<size_t>(size)) << size;
  }
}

TEST(completion, hidden_markov_models_of_many_states) {
  // p: z0, z(t) | z(t-1), x(t) | z(t); and an encoder for each state, given its neighbours and its
  // observation.
  for (const int states : {2, 14, 16, 40, 200}) {
    std::vector<Conditional> conditionals;
    const auto state = [](int t) { return t; };
    const auto observation = [&](int t) { return states + t; };
    completion::Variables observed;
    for (int t = 0; t < states; ++t) {
      conditionals.push_back({.player = 0, .target = state(t)});
      if (t > 0) conditionals.back().parents = {state(t - 1)};
      conditionals.push_back({.player = 0, .target = observation(t), .parents = {state(t)}});
      Conditional encoder{.player = 1 + t, .target = state(t), .parents = {observation(t)}};
      if (t > 0) encoder.parents.push_back(state(t - 1));
      if (t + 1 < states) encoder.parents.push_back(state(t + 1));
      conditionals.push_back(encoder);
      observed.insert(observation(t));
    }
    const completion::Completion found = completion::complete(Players(2 * states, conditionals), observed);
    ASSERT_EQ(found.steps.size(), 1U) << states;
    EXPECT_EQ(found.steps[0].draws.size(), static_cast<size_t>(states));
  }
}

TEST(completion, samplers_that_differ_in_nothing_add_no_branches) {
  // Each variable of a ring has two equal samplers. The chain is found, and is then ambiguous.
  std::vector<Conditional> conditionals = ring(40);
  for (int i = 0; i < 40; ++i) {
    conditionals.push_back(conditionals[static_cast<size_t>(i)]);
    conditionals.back().player = 40 + i;
  }
  const completion::Completion found = completion::complete(Players(40, conditionals), {});
  ASSERT_TRUE(found.ambiguity);
  EXPECT_EQ(found.ambiguity->kind, completion::Ambiguity::Kind::one_target_in_a_chain);
}

TEST(completion, a_search_with_too_many_branches_says_so) {
  // a waits for b, or for c and d; and b, c and d wait for a.
  const Model model("p: a|cd\nq: a|b\nr: b|a\ns: c|a\nt: d|a");
  completion::VariableMask known(4);
  completion::Samplers samplers(4);
  for (int variable = 0; variable < 4; ++variable)
    for (const int sampler : model.players->samplers(variable))
      samplers[static_cast<size_t>(variable)].push_back({sampler, true});
  const completion::ChainProblem problem{*model.players, known, samplers};
  EXPECT_EQ(completion::least_waiting_set(problem).variables, (std::vector<int>{0, 3}));
  EXPECT_TRUE(completion::least_waiting_set(problem).exact);
  EXPECT_FALSE(completion::least_waiting_set(problem, 1).exact);
}

/// The steps of a completion as text, in their order.
std::string text_of(const completion::Completion& completed) {
  if (completed.ambiguity) return "ambiguous";
  std::string text;
  for (const Step& step : completed.steps) {
    text += step.chain ? "chain" : "draw";
    for (const Draw& draw : step.draws) text += " " + std::to_string(draw.conditional);
    text += "; ";
  }
  return text;
}

/// Up to four players with random conditionals. Each player has its own random order of the variables, so
/// that its conditionals have no cycle.
std::vector<Conditional> random_conditionals(int variables, std::mt19937& random) {
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  std::vector<Conditional> conditionals;
  const int players = 1 + below(4), parents = 1 + below(3);
  for (int player = 0; player < players; ++player) {
    std::vector<int> order(static_cast<size_t>(variables));
    for (int i = 0; i < variables; ++i) order[static_cast<size_t>(i)] = i;
    std::shuffle(order.begin(), order.end(), random);
    for (size_t place = 0; place < order.size(); ++place) {
      if (below(3) == 0) continue;
      Conditional& conditional = conditionals.emplace_back();
      conditional.player = player;
      conditional.target = order[place];
      conditional.learned = true;
      for (int i = 0; i < parents && place > 0; ++i) {
        const int parent = order[static_cast<size_t>(below(static_cast<int>(place)))];
        if (std::ranges::count(conditional.parents, parent) == 0) conditional.parents.push_back(parent);
      }
    }
  }
  return conditionals;
}

TEST(completion, agrees_with_enumeration_on_random_games) {
  std::mt19937 random(1);
  int chains = 0, ambiguous = 0, with_word = 0;
  for (int trial = 0; trial < 10000; ++trial) {
    const int variables = 2 + static_cast<int>(random() % 6);
    const std::vector<Conditional> conditionals = random_conditionals(variables, random);
    completion::Variables known;
    for (int variable = 0; variable < variables; ++variable)
      if (random() % 5 == 0) known.insert(variable);
    std::map<int, int> words;
    if (!conditionals.empty() && random() % 4 == 0) {
      const Conditional& worded = conditionals[random() % conditionals.size()];
      words[worded.target] = worded.player;
    }
    const completion::Completion found = completion::complete(Players(variables, conditionals), known, words);
    const completion::Completion expected =
        completion::EnumeratedGame(variables, conditionals, words).complete(known);
    ASSERT_EQ(text_of(found), text_of(expected)) << "game " << trial;
    ambiguous += found.ambiguity.has_value();
    with_word += !words.empty();
    for (const Step& step : found.steps) chains += step.chain;
  }
  EXPECT_GT(chains, 300);
  EXPECT_GT(ambiguous, 300);
  EXPECT_GT(with_word, 300);
}

}  // namespace
