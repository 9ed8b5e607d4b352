#include "compiler/game/unlearned.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "compiler/game/bound.h"
#include "compiler/game/names.h"
#include "compiler/game/play.h"
#include "compiler/game/supervised.h"

namespace game {
namespace {
using semantics::Learn;
using semantics::Model;
using semantics::PlayerId;
using semantics::Source;
using semantics::VariableId;

/// The conditionals that the learn block reads at rows of this source; none if the block skips these rows.
std::vector<ConditionalId> read_conditionals(const Model& model, const Game& game, size_t l, SourceId id) {
  const Learn& learn = model.learns[l];
  if (learn.method == "supervised") return given_terms(model, model[id]);
  std::vector<ConditionalId> found;
  if (learn.method == "symmetric") {
    for (const SourceGame& source : game.sources) {
      if (source.source != id) continue;
      found = source.terms;
      for (const Completion& completion : source.completions)
        for (const Draw& draw : completion.draws) found.push_back(draw.conditional);
    }
    return found;
  }
  for (const Bound& bound : game.bounds[l].sources) {
    if (bound.source != id) continue;
    found = bound.evidence;
    found.insert(found.end(), bound.recognised.begin(), bound.recognised.end());
    for (const Latent& latent : bound.latents) {
      found.push_back(latent.posterior);
      found.push_back(latent.prior);
    }
  }
  return found;
}

/// A hint if `alpha` can weigh the log-density that the conditional gives to a known target, else "".
std::string alpha_hint(const Model& model, const Learn& learn, ConditionalId id) {
  const PlayerId player = model[id].player;
  if (learn.method != "elbo" || player.index < 0 || model[player].role != semantics::Role::encoder) return "";
  return fmt::format("; alpha = 1 adds log {}", conditional_text(model, id));
}

/// A hint how the variable could be learned.
std::string way_to_learn(const Model& model, const Learn& learn, VariableId variable) {
  for (size_t i = 0; i < model.conditionals.size(); ++i) {
    const ConditionalId id{static_cast<int32_t>(i)};
    if (model[id].target != variable) continue;
    if (const std::string hint = alpha_hint(model, learn, id); !hint.empty()) return hint;
  }
  return "";
}

/// Does a source of the learn block give the target and the parents of the conditional?
bool is_given(const Model& model, const Learn& learn, ConditionalId id) {
  return std::ranges::any_of(learned_sources(model, learn), [&](SourceId source) {
    return std::ranges::count(given_terms(model, model[source]), id) > 0;
  });
}

/// The conditionals with parameters that no source of a bound reads, and whose players learn.
std::vector<ConditionalId> never_read(const Model& model, const Game& game, size_t l) {
  const Learn& learn = model.learns[l];
  std::set<ConditionalId> read;
  std::set<semantics::ParameterId> learned;
  for (const SourceId source : learned_sources(model, learn))
    for (const ConditionalId id : read_conditionals(model, game, l, source)) {
      read.insert(id);
      learned.insert(model[id].parameters.begin(), model[id].parameters.end());
    }
  std::vector<ConditionalId> found;
  for (size_t i = 0; i < model.conditionals.size(); ++i) {
    const ConditionalId id{static_cast<int32_t>(i)};
    const semantics::Conditional& conditional = model[id];
    if (conditional.player.index < 0 || read.contains(id)) continue;
    if (is_frozen(learn, model[conditional.player])) continue;
    if (!std::ranges::all_of(conditional.parameters,
                             [&](auto parameter) { return learned.contains(parameter); }))
      found.push_back(id);
  }
  return found;
}

}  // namespace

std::vector<std::string> unlearned_lines(const Model& model, const Game& game, size_t l) {
  std::vector<std::string> lines;
  std::set<VariableId> noted;
  const Learn& learn = model.learns[l];
  for (const SourceId id : learn.sources) {
    const std::vector<ConditionalId> read = read_conditionals(model, game, l, id);
    if (read.empty()) continue;
    std::set<int32_t> used;
    for (const ConditionalId conditional : read) {
      used.insert(model[conditional].target.index);
      for (const VariableId parent : model[conditional].parents) used.insert(parent.index);
    }
    for (const semantics::Given& given : model[id].givens)
      if (!given.drawn && !used.contains(given.variable.index)) {
        noted.insert(given.variable);
        lines.push_back(fmt::format("nothing is learned from {} of source {}{}", model[given.variable].name,
                                    model[id].name, way_to_learn(model, learn, given.variable)));
      }
  }
  if (!is_bound(learn) || learned_rows_may_miss(model, learn)) return lines;
  for (const ConditionalId id : never_read(model, game, l)) {
    if (noted.contains(model[id].target)) continue;
    lines.push_back(fmt::format("{} is in no term and is not learned{}", conditional_text(model, id),
                                is_given(model, learn, id) ? alpha_hint(model, learn, id) : ""));
  }
  return lines;
}

}  // namespace game
