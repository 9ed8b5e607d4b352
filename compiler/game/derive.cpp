#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "compiler/game/bound.h"
#include "compiler/game/enumeration.h"
#include "compiler/game/game.h"
#include "compiler/game/names.h"
#include "compiler/game/play.h"
#include "compiler/game/rows/published.h"
#include "compiler/game/rows/simulated.h"
#include "compiler/game/suggest_words.h"
#include "runtime/completion/completion.h"

namespace game {
namespace {
using semantics::Conditional;
using semantics::Model;
using semantics::Source;
using semantics::SourceId;

using completion::Ambiguity;

std::vector<VariableId> variables_of(const completion::Variables& indices) {
  std::vector<VariableId> variables;
  for (const int index : indices) variables.push_back({index});
  return variables;
}

/// `complete { z ~ q; c ~ r }`, which names the draws that the conditionals make.
std::string words_text(const Model& model, const std::vector<int>& conditionals) {
  std::string words;
  for (const int conditional : conditionals) {
    const Conditional& entry = model[ConditionalId{conditional}];
    words += fmt::format("{}{} ~ {}", words.empty() ? "" : "; ", model[entry.target].name,
                         model[entry.player].name);
  }
  return fmt::format("`complete {{ {} }}`", words);
}

void report_ambiguity(const Model& model, const Source& source, const Ambiguity& ambiguity,
                      const SourceProblem& problem, base::Report& report) {
  const ConditionalId first = {ambiguity.first.conditional}, second = {ambiguity.second.conditional};
  const std::string& target = model[model[first].target].name;
  std::string label;
  switch (ambiguity.kind) {
    case Ambiguity::Kind::one_target:
      label = fmt::format("two players can give `{}` here", target);
      break;
    case Ambiguity::Kind::one_target_in_a_chain:
      label = fmt::format("two players can give `{}` in the chain", target);
      break;
    case Ambiguity::Kind::one_excludes_the_other:
      label = fmt::format("once `{}` is drawn, drawing `{}` would ignore it",
                          model[model[ConditionalId{ambiguity.made}].target].name,
                          model[model[ConditionalId{ambiguity.lost}].target].name);
      break;
  }
  base::Diagnostic& diagnostic =
      report.add(base::E0701, source.span, source.name, draw_text(model, first), draw_text(model, second))
          .label(label)
          .note(model[first].span, "one is here")
          .note(model[second].span, "the other is here");
  const std::vector<int> words = words_that_help(problem);
  if (!words.empty())
    diagnostic.help(fmt::format("say who gives it: {} in the source", words_text(model, words)));
}

/// The search for a chain was given up. Proposes that the file names who gives a variable that several
/// players can give.
void report_undecided(const Model& model, const Source& source, const completion::Players& players,
                      const completion::Variables& completed, base::Report& report) {
  base::Diagnostic& diagnostic = report.add(base::E0704, source.span, source.name);
  for (int variable = 0; variable < players.variables(); ++variable) {
    const std::vector<int>& samplers = players.samplers(variable);
    if (completed.contains(variable) || samplers.size() < 2) continue;
    diagnostic.help(fmt::format("say who gives each variable that several players can give, as in {}",
                                words_text(model, {samplers.front()})));
    return;
  }
}

/// Fills in the source's terms and the draws that the terms need.
void list_terms(const Model& model, const completion::Players& players, completion::Completion& completed,
                SourceGame& source) {
  const completion::Terms terms = completion::terms_of(players, completed);
  completion::Variables needed;
  for (const int term : terms.conditionals) {
    source.terms.push_back({term});
    needed.insert(players[term].target);
    needed.insert(players[term].parents.begin(), players[term].parents.end());
  }
  for (const completion::Terms::LeftOut& left_out : terms.left_out)
    source.left_out.push_back({{left_out.conditional}, variables_of(left_out.missing)});
  source.undrawn = variables_of(completion::prune(players, completed.steps, needed));
  const Source& asked = model.sources[static_cast<size_t>(source.source.index)];
  for (const completion::Step& step : completed.steps) {
    game::Completion& made = source.completions.emplace_back();
    made.chain = step.chain;
    for (const completion::Draw& draw : step.draws) made.draws.push_back({{draw.conditional}, draw.word});
    if (!step.chain) continue;
    made.sweeps = asked.sweeps;
    made.asked = asked.gibbs;
  }
}

/// Explains why a source has no term: a draw of a missing variable would ignore a known or completed
/// variable. Proposes two ways out, each only if it leads to a term.
void explain_missing(const Model& model, const SourceProblem& problem, const completion::Variables& given,
                     base::Diagnostic& diagnostic) {
  const completion::Players& players = problem.players;
  std::string wanted;
  for (const semantics::Player& player : model.players) {
    for (const ConditionalId id : player.conditionals) {
      const Conditional& conditional = model[id];
      if (given.contains(conditional.target.index)) continue;
      const std::optional<int> index = players.ignored(id.index, given);
      if (!index) continue;
      const std::string& ignored = model[VariableId{*index}].name;
      diagnostic.note(conditional.span,
                      fmt::format("`{}` would ignore `{}`, which is known or completed here",
                                  draw_text(model, id), ignored));
      std::vector<int> parents = players[id.index].parents;
      parents.push_back(*index);
      if (!wanted.empty() || !conditional_helps(problem, conditional.target.index, parents)) continue;
      wanted = model[conditional.target].name;
      const char* separator = " | ";
      for (const int parent : parents) {
        wanted += separator + model[VariableId{parent}].name;
        separator = ", ";
      }
    }
  }
  const std::vector<int> words = words_that_help(problem);
  const std::string listed = words.empty() ? "" : words_text(model, words) + " in the source";
  if (!wanted.empty() && !words.empty()) {
    diagnostic.help(
        fmt::format("let a player give `{}`; or, if that does not matter, say so: {}", wanted, listed));
  } else if (!wanted.empty()) {
    diagnostic.help(fmt::format("let a player give `{}`", wanted));
  } else if (!words.empty()) {
    diagnostic.help(fmt::format("if what is ignored does not matter, say so: {}", listed));
  }
}

std::string why_no_term(const Model& model, const completion::Variables& given) {
  for (const Conditional& conditional : model.conditionals) {
    if (!conditional.parameters.empty() && given.contains(conditional.target.index) &&
        std::all_of(conditional.parents.begin(), conditional.parents.end(),
                    [&](VariableId parent) { return given.contains(parent.index); })) {
      return fmt::format("`{}` is drawn here from the conditional that could learn it",
                         model[conditional.target].name);
    }
  }
  return "no conditional with parameters has all its variables here";
}

/// A source that gives the conditional a term, although the learn block does not use the source.
std::optional<SourceId> source_left_out(const Game& game, ConditionalId id) {
  for (const SourceGame& source : game.sources)
    if (std::ranges::count(source.terms, id) > 0) return source.source;
  return std::nullopt;
}

/// Checks each `learn symmetric`: every conditional with parameters must have a term in a source of the
/// block, unless `optimizer` says that its player does not learn. If rows may have missing variables, nothing
/// is checked, because such rows may give the term.
void check_every_conditional_learns(const Model& model, const completion::Players& players, const Game& game,
                                    base::Report& report) {
  std::set<ConditionalId> reported;
  for (const semantics::Learn& learn : model.learns) {
    if (learn.method != "symmetric" || learned_rows_may_miss(model, learn)) continue;
    const Play play = play_of(model, learn);
    std::set<ConditionalId> with_term;
    for (const SourceGame& source : game.sources)
      if (play.weight(source.source).value > 0) with_term.insert(source.terms.begin(), source.terms.end());
    for (size_t player = 0; player < model.players.size(); ++player) {
      if (!play.learns[player]) continue;
      for (const ConditionalId id : model.players[player].conditionals) {
        if (model[id].parameters.empty() || with_term.contains(id) || !reported.insert(id).second) continue;
        base::Diagnostic& diagnostic = report.add(base::E0703, model[id].span, conditional_text(model, id))
                                           .label("its parameters would never be learned");
        if (const auto left_out = source_left_out(game, id)) {
          const bool listed = std::ranges::count(learn.sources, *left_out) > 0;
          diagnostic.note(learn.span,
                          fmt::format("source `{}` would, and {}", model[*left_out].name,
                                      listed ? "has the weight 0 here" : "is not among its `sources`"));
        } else if (generated_rows_help(players, id.index)) {
          diagnostic.help(
              "a source whose rows are drawn from the players alone gives it one: `source generated { }`");
        }
      }
    }
  }
}

}  // namespace

completion::Players players_of(const Model& model) {
  std::vector<completion::Conditional> conditionals;
  for (const Conditional& conditional : model.conditionals) {
    completion::Conditional& plain = conditionals.emplace_back();
    plain.player = conditional.player.index;
    plain.target = conditional.target.index;
    for (const VariableId parent : conditional.parents) plain.parents.push_back(parent.index);
    plain.learned = !conditional.parameters.empty();
  }
  return {static_cast<int>(model.variables.size()), std::move(conditionals)};
}

bool complete_source(const Model& model, const completion::Players& players, SourceGame& result,
                     base::Report& report) {
  const Source& source = model[result.source];
  completion::Variables known;
  for (const VariableId variable : result.known) known.insert(variable.index);
  std::map<int, int> words;
  for (const Source::Word& word : source.words) words.emplace(word.variable.index, word.player.index);
  const SourceProblem problem{players, known, words};
  completion::Completion completed = completion::complete(players, known, words);
  if (completed.ambiguity || !completed.exact) {
    if (completed.ambiguity)
      report_ambiguity(model, source, *completed.ambiguity, problem, report);
    else
      report_undecided(model, source, players, completed.completed, report);
    return false;
  }
  list_terms(model, players, completed, result);
  if (!result.terms.empty()) return true;
  base::Diagnostic& diagnostic =
      report.add(base::E0702, source.span, source.name).label(why_no_term(model, completed.completed));
  explain_missing(model, problem, completed.completed, diagnostic);
  return false;
}

Game derive(const Model& model, base::Report& report) {
  Game game;
  game.graph = model.graph;
  const completion::Players players = players_of(model);
  bool in_order = true;
  for (int32_t i = 0; i < static_cast<int32_t>(model.sources.size()); ++i) {
    const Source& source = model.sources[static_cast<size_t>(i)];
    SourceGame& result = game.sources.emplace_back();
    result.source = {i};
    completion::Variables known;
    for (const semantics::Given& given : source.givens) known.insert(given.variable.index);
    result.known = variables_of(known);
    result.simulated = simulated_by(model, source);
    result.peers = peers_of(model, source);
    if (source.weight == 0) continue;  // never learned from, so nothing is drawn and no term counts
    in_order &= complete_source(model, players, result, report);
  }
  if (in_order) check_every_conditional_learns(model, players, game, report);
  if (in_order) game.bounds = derive_bounds(model, game.graph, players, report);
  if (in_order) game.sums = derive_sums(model, game, report);
  for (int32_t i = 0; i < static_cast<int32_t>(model.players.size()); ++i) {
    game.utilities.push_back(utility_text(model, game, {i}, declared_play(model)));
  }
  game.published = derive_published(model, players, report);
  return game;
}

}  // namespace game
