#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "compiler/game/equilibrium.h"
#include "compiler/game/game.h"
#include "compiler/game/names.h"

namespace game {
namespace {
using semantics::Conditional;
using semantics::Model;
using semantics::Source;

using Variables = std::set<VariableId>;

/// Directed reachability between variables along parent -> target edges.
class Edges {
 public:
  explicit Edges(size_t variables) : next_(variables) {}
  void add(const Conditional& conditional) {
    for (const VariableId parent : conditional.parents) next_[at(parent)].push_back(conditional.target);
  }
  /// Everything that a path from `start` reaches without passing through `avoided`.
  Variables downstream(VariableId start, const Variables& avoided) const {
    Variables seen;
    std::vector<VariableId> open = {start};
    while (!open.empty()) {
      const VariableId from = open.back();
      open.pop_back();
      for (const VariableId to : next_[at(from)]) {
        if (!avoided.contains(to) && seen.insert(to).second) open.push_back(to);
      }
    }
    return seen;
  }

 private:
  static size_t at(VariableId id) { return static_cast<size_t>(id.index); }
  std::vector<std::vector<VariableId>> next_;
};

/// What does not change from source to source: each player's graph, and all of them joined.
struct Graphs {
  explicit Graphs(const Model& model) : model(model), joined(model.variables.size()) {
    for (const semantics::Player& player : model.players) {
      Edges& own = players.emplace_back(model.variables.size());
      Variables& touched = members.emplace_back();
      for (const ConditionalId id : player.conditionals) {
        own.add(model[id]);
        joined.add(model[id]);
        touched.insert(model[id].target);
        touched.insert(model[id].parents.begin(), model[id].parents.end());
      }
    }
  }

  /// The first variable of `known` that drawing from `conditional` would ignore, if any.
  std::optional<VariableId> ignored(const Conditional& conditional, const Variables& known) const {
    const auto player = static_cast<size_t>(conditional.player.index);
    const VariableId target = conditional.target;
    const Variables parents(conditional.parents.begin(), conditional.parents.end());
    const Variables descendants = players[player].downstream(target, {});
    const Variables below = joined.downstream(target, parents);
    for (const VariableId variable : known) {
      if (variable == target) continue;
      if (descendants.contains(variable)) return variable;
      if (members[player].contains(variable)) continue;
      if (below.contains(variable) || joined.downstream(variable, parents).contains(target)) return variable;
    }
    return std::nullopt;
  }

  const Model& model;
  std::vector<Edges> players;
  std::vector<Variables> members;
  Edges joined;
};

class SourceCompletion {
 public:
  SourceCompletion(const Graphs& graphs, const Source& source, base::Report& report)
      : graphs_(graphs), model_(graphs.model), source_(source), report_(report) {}

  /// Completes what can be completed; false after an ambiguity.
  bool complete(SourceGame& result) {
    for (const semantics::Given& given : source_.givens) given_.insert(given.variable);
    result.known.assign(given_.begin(), given_.end());
    for (;;) {
      const std::vector<Draw> draws = possible_draws();
      if (!draws.empty()) {
        if (ambiguous(draws)) return false;
        for (const Draw& draw : draws) {
          given_.insert(model_[draw.conditional].target);
          result.completions.push_back({.draws = {draw}});
        }
        continue;
      }
      Completion chain;
      if (!find_chain(chain)) return !failed_;
      for (const Draw& draw : chain.draws) given_.insert(model_[draw.conditional].target);
      result.completions.push_back(std::move(chain));
    }
  }

  const Variables& given() const { return given_; }

 private:
  const Source::Word* word_for(VariableId variable) const {
    for (const Source::Word& word : source_.words) {
      if (word.variable == variable) return &word;
    }
    return nullptr;
  }

  /// The conditionals that may give `variable` in this source: all of them, or the one of the author's word.
  std::vector<Draw> givers(VariableId variable) const {
    const Source::Word* word = word_for(variable);
    std::vector<Draw> found;
    for (size_t player = 0; player < model_.players.size(); ++player) {
      if (word && word->player.index != static_cast<int32_t>(player)) continue;
      for (const ConditionalId id : model_.players[player].conditionals) {
        if (model_[id].target == variable) found.push_back({id, word != nullptr});
      }
    }
    return found;
  }

  bool allowed(const Draw& draw, const Variables& known) const {
    const Conditional& conditional = model_[draw.conditional];
    for (const VariableId parent : conditional.parents) {
      if (!known.contains(parent)) return false;
    }
    return draw.word || !graphs_.ignored(conditional, known);
  }

  std::vector<VariableId> missing() const {
    std::vector<VariableId> result;
    for (int32_t i = 0; i < static_cast<int32_t>(model_.variables.size()); ++i) {
      if (!given_.contains({i})) result.push_back({i});
    }
    return result;
  }

  std::vector<Draw> possible_draws() const {
    std::vector<Draw> result;
    for (const VariableId variable : missing()) {
      for (const Draw& draw : givers(variable)) {
        if (allowed(draw, given_)) result.push_back(draw);
      }
    }
    return result;
  }

  bool ambiguous(const std::vector<Draw>& draws) {
    for (size_t i = 0; i < draws.size(); ++i) {
      for (size_t j = i + 1; j < draws.size(); ++j) {
        const Conditional& first = model_[draws[i].conditional];
        const Conditional& second = model_[draws[j].conditional];
        if (first.target == second.target) {
          report_
              .add(base::E0701, source_.span, source_.name, draw_text(model_, draws[i].conditional),
                   draw_text(model_, draws[j].conditional))
              .label(fmt::format("two players can give `{}` here", model_[first.target].name))
              .note(first.span, "one is here")
              .note(second.span, "the other is here")
              .help(word_help(first));
          return true;
        }
        const bool first_excludes = excludes(first, draws[j]);
        if (first_excludes || excludes(second, draws[i])) {
          const Conditional& made = first_excludes ? first : second;
          const Conditional& lost = first_excludes ? second : first;
          report_
              .add(base::E0701, source_.span, source_.name, draw_text(model_, draws[i].conditional),
                   draw_text(model_, draws[j].conditional))
              .label(fmt::format("once `{}` is drawn, drawing `{}` would ignore it", model_[made.target].name,
                                 model_[lost.target].name))
              .note(first.span, "one is here")
              .note(second.span, "the other is here")
              .help(word_help(lost));
          return true;
        }
      }
    }
    return false;
  }

  /// True if `other` is no longer allowed once `made`'s target is completed.
  bool excludes(const Conditional& made, const Draw& other) const {
    Variables known = given_;
    known.insert(made.target);
    return !allowed(other, known);
  }

  std::string word_help(const Conditional& conditional) const {
    return fmt::format("say who gives it: `complete {{ {} ~ {} }}` in the source",
                       model_[conditional.target].name, model_[conditional.player].name);
  }

  /// The draws of a chain over `set`, grouped by player, parents first; none if some variable has no giver.
  /// A player draws with the rest of the set known, except what it is still about to draw itself.
  std::optional<std::vector<Draw>> chain_over(const Variables& set) const {
    std::vector<Draw> result;
    Variables covered;
    for (size_t player = 0; player < model_.players.size(); ++player) {
      std::vector<Draw> own;
      for (const VariableId variable : set) {
        for (const Draw& draw : givers(variable)) {
          if (model_[draw.conditional].player.index == static_cast<int32_t>(player)) own.push_back(draw);
        }
      }
      drop_disallowed(set, own);
      for (const Draw& draw : parents_first(own)) {
        covered.insert(model_[draw.conditional].target);
        result.push_back(draw);
      }
    }
    if (covered.size() != set.size()) return std::nullopt;
    return result;
  }

  /// Removes from one player's draws those that would ignore something, until the others are all allowed.
  void drop_disallowed(const Variables& set, std::vector<Draw>& own) const {
    for (bool changed = true; changed;) {
      changed = false;
      Variables known = given_;
      known.insert(set.begin(), set.end());
      for (const Draw& draw : own) known.erase(model_[draw.conditional].target);
      std::vector<Draw> kept;
      for (const Draw& draw : parents_first(own)) {
        if (allowed(draw, known)) {
          known.insert(model_[draw.conditional].target);
          kept.push_back(draw);
        } else {
          changed = true;
        }
      }
      own = kept;
    }
  }

  std::vector<Draw> parents_first(std::vector<Draw> draws) const {
    std::vector<Draw> sorted;
    while (!draws.empty()) {
      const auto ready = std::find_if(draws.begin(), draws.end(), [&](const Draw& draw) {
        const std::vector<VariableId>& parents = model_[draw.conditional].parents;
        return std::none_of(draws.begin(), draws.end(), [&](const Draw& other) {
          return std::find(parents.begin(), parents.end(), model_[other.conditional].target) != parents.end();
        });
      });
      sorted.push_back(*ready);  // a player's conditionals form no cycle
      draws.erase(ready);
    }
    return sorted;
  }

  /// A least set of missing variables that wait only for one another.
  bool find_chain(Completion& chain) {
    std::vector<VariableId> candidates;
    for (const VariableId variable : missing()) {
      if (!givers(variable).empty()) candidates.push_back(variable);
    }
    // Small sets first. What has more than `limit` candidates is searched among pairs and triples only,
    // and then as a whole: models with longer cycles among so many variables are not known.
    const size_t limit = 16;
    const size_t largest = candidates.size() <= limit ? candidates.size() : 3;
    for (size_t size = 2; size <= largest; ++size) {
      if (choose(candidates, size, 0, {}, chain)) return !failed_;
    }
    if (candidates.size() > limit) {
      return accept(Variables(candidates.begin(), candidates.end()), chain) && !failed_;
    }
    return false;
  }

  bool choose(const std::vector<VariableId>& from, size_t size, size_t start, const Variables& chosen,
              Completion& chain) {
    if (chosen.size() == size) return accept(chosen, chain);
    for (size_t i = start; i < from.size(); ++i) {
      Variables more = chosen;
      more.insert(from[i]);
      if (choose(from, size, i + 1, more, chain)) return true;
    }
    return false;
  }

  bool accept(const Variables& set, Completion& chain) {
    const std::optional<std::vector<Draw>> draws = chain_over(set);
    if (!draws) return false;
    for (size_t i = 0; i < draws->size(); ++i) {
      for (size_t j = i + 1; j < draws->size(); ++j) {
        const Conditional& first = model_[(*draws)[i].conditional];
        const Conditional& second = model_[(*draws)[j].conditional];
        if (first.target != second.target) continue;
        failed_ = true;
        report_
            .add(base::E0701, source_.span, source_.name, draw_text(model_, (*draws)[i].conditional),
                 draw_text(model_, (*draws)[j].conditional))
            .label(fmt::format("two players can give `{}` in the chain", model_[first.target].name))
            .note(first.span, "one is here")
            .note(second.span, "the other is here")
            .help(word_help(first));
        return true;
      }
    }
    chain = {.chain = true, .draws = *draws, .sweeps = source_.sweeps, .asked = source_.gibbs};
    return true;
  }

  const Graphs& graphs_;
  const Model& model_;
  const Source& source_;
  base::Report& report_;
  Variables given_;
  bool failed_ = false;
};

/// True if the conditional's target is always drawn from it after its parents: its expected gradient is zero.
bool drawn_from_itself(const Model& model, const SourceGame& source, ConditionalId id) {
  for (const Completion& completion : source.completions) {
    for (const Draw& draw : completion.draws) {
      if (draw.conditional != id) continue;
      if (!completion.chain) return true;
      for (const Draw& other : completion.draws) {
        const std::vector<VariableId>& parents = model[id].parents;
        const bool is_parent =
            std::find(parents.begin(), parents.end(), model[other.conditional].target) != parents.end();
        if (is_parent && model[other.conditional].player != model[id].player) return false;
      }
      return true;
    }
  }
  return false;
}

void list_terms(const Model& model, const Variables& given, SourceGame& source) {
  for (const semantics::Player& player : model.players) {
    for (const ConditionalId id : player.conditionals) {
      const Conditional& conditional = model[id];
      if (conditional.parameters.empty()) continue;
      std::set<VariableId> missing;
      if (!given.contains(conditional.target)) missing.insert(conditional.target);
      for (const VariableId parent : conditional.parents) {
        if (!given.contains(parent)) missing.insert(parent);
      }
      if (!missing.empty()) {
        source.left_out.push_back({id, {missing.begin(), missing.end()}});
      } else if (!drawn_from_itself(model, source, id)) {
        source.terms.push_back(id);
      }
    }
  }
}

/// Takes out the completions that no term needs.
void prune(const Model& model, SourceGame& source) {
  Variables needed;
  for (const ConditionalId id : source.terms) {
    needed.insert(model[id].target);
    needed.insert(model[id].parents.begin(), model[id].parents.end());
  }
  std::vector<Completion> kept;
  Variables undrawn;
  for (auto completion = source.completions.rbegin(); completion != source.completions.rend(); ++completion) {
    const bool wanted =
        std::any_of(completion->draws.begin(), completion->draws.end(),
                    [&](const Draw& draw) { return needed.contains(model[draw.conditional].target); });
    for (const Draw& draw : completion->draws) {
      const Conditional& conditional = model[draw.conditional];
      if (wanted) {
        needed.insert(conditional.parents.begin(), conditional.parents.end());
      } else {
        undrawn.insert(conditional.target);
      }
    }
    if (wanted) kept.insert(kept.begin(), *completion);
  }
  source.completions = std::move(kept);
  source.undrawn.assign(undrawn.begin(), undrawn.end());
}

/// Why a source has no term: the draws of missing variables that would ignore something, and the two ways
/// out.
void explain_missing(const Graphs& graphs, const Variables& given, base::Diagnostic& diagnostic) {
  const Model& model = graphs.model;
  std::string looking, words;
  Variables worded;
  for (const semantics::Player& player : model.players) {
    for (const ConditionalId id : player.conditionals) {
      const Conditional& conditional = model[id];
      if (given.contains(conditional.target)) continue;
      const std::optional<VariableId> ignored = graphs.ignored(conditional, given);
      if (!ignored) continue;
      diagnostic.note(conditional.span,
                      fmt::format("`{}` would ignore `{}`, which is known or completed here",
                                  draw_text(model, id), model[*ignored].name));
      const std::string& target = model[conditional.target].name;
      if (looking.empty()) {
        looking = target;
        const char* separator = " | ";
        for (const VariableId parent : conditional.parents) {
          looking += separator + model[parent].name;
          separator = ", ";
        }
        looking += separator + model[*ignored].name;
      }
      if (worded.insert(conditional.target).second) {
        words += fmt::format("{}{} ~ {}", words.empty() ? "" : "; ", target, player.name);
      }
    }
  }
  if (words.empty()) return;
  diagnostic.help(fmt::format(
      "let a player give `{}`; or, if that does not matter, say so: `complete {{ {} }}` in the source",
      looking, words));
}

std::string why_no_term(const Model& model, const Variables& given) {
  for (const Conditional& conditional : model.conditionals) {
    if (!conditional.parameters.empty() && given.contains(conditional.target) &&
        std::all_of(conditional.parents.begin(), conditional.parents.end(),
                    [&](VariableId parent) { return given.contains(parent); })) {
      return fmt::format("`{}` is drawn here from the conditional that could learn it",
                         model[conditional.target].name);
    }
  }
  return "no conditional with parameters has all its variables here";
}

/// A source that gives the conditional a term, and that the method leaves out.
std::optional<std::string> source_left_out(const Model& model, const Game& game, ConditionalId id) {
  for (const SourceGame& source : game.sources) {
    if (std::find(source.terms.begin(), source.terms.end(), id) != source.terms.end())
      return model[source.source].name;
  }
  return std::nullopt;
}

/// For each `learn symmetric`: every conditional with parameters has a term in some source it learns from.
void check_every_conditional_learns(const Model& model, const Game& game, base::Report& report) {
  std::set<ConditionalId> reported;
  for (const semantics::Learn& learn : model.learns) {
    if (learn.method != "symmetric") continue;
    std::set<ConditionalId> with_term;
    for (const SourceGame& source : game.sources) {
      const bool used =
          std::find(learn.sources.begin(), learn.sources.end(), source.source) != learn.sources.end();
      if (used) with_term.insert(source.terms.begin(), source.terms.end());
    }
    for (const semantics::Player& player : model.players) {
      for (const ConditionalId id : player.conditionals) {
        if (model[id].parameters.empty() || with_term.contains(id) || !reported.insert(id).second) continue;
        base::Diagnostic& diagnostic = report.add(base::E0703, model[id].span, conditional_text(model, id))
                                           .label("its parameters would never be learned");
        if (const auto left_out = source_left_out(model, game, id)) {
          diagnostic.note(learn.span,
                          fmt::format("source `{}` would, and is not among its `sources`", *left_out));
        } else {
          diagnostic.help(
              "a source whose rows are drawn from the other players gives it one: `source dreams { }`");
        }
      }
    }
  }
}

}  // namespace

Game derive(const Model& model, base::Report& report) {
  Game game;
  const Graphs graphs(model);
  bool in_order = true;
  for (int32_t i = 0; i < static_cast<int32_t>(model.sources.size()); ++i) {
    const Source& source = model.sources[static_cast<size_t>(i)];
    SourceGame& result = game.sources.emplace_back();
    result.source = {i};
    if (source.weight == 0) {  // never learned from: nothing is drawn, no term counts
      for (const semantics::Given& given : source.givens) result.known.push_back(given.variable);
      std::sort(result.known.begin(), result.known.end());
      continue;
    }
    SourceCompletion completion(graphs, source, report);
    if (!completion.complete(result)) {
      in_order = false;
      continue;
    }
    list_terms(model, completion.given(), result);
    prune(model, result);
    if (result.terms.empty()) {
      in_order = false;
      base::Diagnostic& diagnostic =
          report.add(base::E0702, source.span, source.name).label(why_no_term(model, completion.given()));
      explain_missing(graphs, completion.given(), diagnostic);
    }
  }
  if (in_order) check_every_conditional_learns(model, game, report);
  for (int32_t i = 0; i < static_cast<int32_t>(model.players.size()); ++i) {
    game.utilities.push_back(utility_text(model, game, {i}));
  }
  game.equilibrium = judge_equilibrium(model, game);
  return game;
}

}  // namespace game
