#include "compiler/game/unlearned.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "compiler/game/names.h"
#include "compiler/game/supervised.h"

namespace game {
namespace {
using semantics::Learn;
using semantics::Model;
using semantics::Source;

/// The conditionals that the learn block reads at rows of this source; none where it skips them.
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

/// What would learn from it: `alpha` weighs the encoder's log-density of a given variable.
std::string way_to_learn(const Model& model, const Learn& learn, VariableId variable) {
  if (learn.method != "elbo") return "";
  for (size_t i = 0; i < model.conditionals.size(); ++i) {
    const ConditionalId id{static_cast<int32_t>(i)};
    const semantics::Conditional& conditional = model[id];
    if (conditional.target != variable || conditional.player.index < 0) continue;
    if (model[conditional.player].role == semantics::Role::encoder)
      return fmt::format("; alpha = 1 adds log {}", conditional_text(model, id));
  }
  return "";
}

}  // namespace

std::vector<std::string> unlearned_lines(const Model& model, const Game& game, size_t l) {
  std::vector<std::string> lines;
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
      if (!given.drawn && !used.contains(given.variable.index))
        lines.push_back(fmt::format("nothing is learned from {} of source {}{}", model[given.variable].name,
                                    model[id].name, way_to_learn(model, learn, given.variable)));
  }
  return lines;
}

}  // namespace game
