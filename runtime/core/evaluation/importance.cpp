#include "runtime/core/evaluation/importance.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "runtime/core/evaluation/evaluated_sources.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {

/// The decoders' conditional of a variable; else a source's own family for it; -1 if there is no density.
int density_of(const Image& image, int variable, bool decoders_only = false) {
  int found = -1;
  for (size_t i = 0; i < image.conditionals.size(); ++i) {
    const Conditional& conditional = image.conditionals[i];
    if (conditional.target != variable) continue;
    if (conditional.player < 0) {
      if (!decoders_only && found < 0 && conditional.source >= 0) found = static_cast<int>(i);
    } else if (image.players[static_cast<size_t>(conditional.player)].role == Role::decoder) {
      return static_cast<int>(i);
    }
  }
  return found;
}

bool is_parent(const Image& image, const std::vector<int>& conditionals, int variable) {
  return std::any_of(conditionals.begin(), conditionals.end(), [&](int conditional) {
    const std::vector<int>& parents = image.conditionals[static_cast<size_t>(conditional)].parents;
    return std::find(parents.begin(), parents.end(), variable) != parents.end();
  });
}

constexpr int64_t most_dimensions_of_prior_draws = 2;

/// Draws the variables that are not summed over from their densities, parents first. Nothing if they have too
/// many dimensions or a density is missing.
std::optional<DirectOrder> prior_order(const Image& image, const Importance& plan) {
  int64_t dimensions = 0;
  std::set<int> waiting;
  for (int variable : plan.drawn)
    if (!plan.summed.variables().contains(variable)) waiting.insert(variable);
  for (int variable : waiting) dimensions += image.variables[static_cast<size_t>(variable)].elements();
  if (dimensions == 0 || dimensions > most_dimensions_of_prior_draws) return std::nullopt;
  DirectOrder order;
  for (bool progress = true; progress;) {
    progress = false;
    for (int conditional : plan.densities) {
      const Conditional& entry = image.conditionals[static_cast<size_t>(conditional)];
      const bool ready = std::none_of(entry.parents.begin(), entry.parents.end(),
                                      [&](int parent) { return waiting.count(parent) > 0; });
      if (!ready || waiting.erase(entry.target) == 0) continue;
      order.conditionals.push_back(conditional);
      progress = true;
    }
  }
  if (!waiting.empty()) return std::nullopt;
  return order;
}

/// The metrics that are measured so, as the subject of a message.
const char* name_of(Need need) {
  return need == Need::densities ? "the metrics loglik, elbo, kl and gap" : "metrics of latent variables";
}

}  // namespace

std::optional<Importance> plan_importance(const Image& image, const Source& source, Need need,
                                          const std::set<int>& drawn) {
  Importance plan{{}, {}, {}, {}, {}, Enumerated(image, {}, {}, {}), {}, {}};
  std::set<int> model;
  std::vector<int> waiting = source.known;
  const std::set<int> known(source.known.begin(), source.known.end());
  bool modelled = false;
  while (!waiting.empty()) {
    const int variable = waiting.back();
    waiting.pop_back();
    if (!model.insert(variable).second) continue;
    const int density = density_of(image, variable, true);
    if (density < 0) continue;
    const Conditional& conditional = image.conditionals[static_cast<size_t>(density)];
    const std::vector<int>& parents = conditional.parents;
    // A root with learned parameters is part of the model: log p of the root is its density. A root with
    // fixed parameters is only a prior.
    const bool learned_root = conditional.learned && need == Need::densities;
    modelled |= known.count(variable) > 0 && (!parents.empty() || learned_root);
    waiting.insert(waiting.end(), parents.begin(), parents.end());
  }
  if (!modelled) return std::nullopt;
  for (int variable : model) {
    const int density = density_of(image, variable);
    if (known.count(variable) && density >= 0) plan.known.push_back(variable);
    if (!known.count(variable)) plan.drawn.push_back(variable);
    if (density >= 0)
      plan.densities.push_back(density);
    else if (!known.count(variable) && need == Need::densities)
      throw Failure(
          Exit::bad_configuration,
          fmt::format("source {}: loglik needs the density of `{}`, but there are only samples of it",
                      source.name, image.name_of(variable)));
  }
  // Known variables count as conditions only if a density of the model reads them.
  for (int variable : known)
    if (density_of(image, variable) < 0 && is_parent(image, plan.densities, variable))
      plan.conditioned.push_back(variable);
  const std::optional<DirectOrder> proposal = find_direct_order(image, known, plan.drawn);
  if (!proposal)
    throw Failure(
        Exit::bad_configuration,
        fmt::format("source {}: {} need encoders that draw every missing variable directly, without a chain",
                    source.name, name_of(need)));
  plan.proposal = *proposal;
  plan.used = proposal->used;
  // Metrics of latents are measured on draws, so nothing is summed over.
  if (need == Need::densities) {
    plan.summed = Enumerated(image, proposal->conditionals, known, drawn);
    std::erase_if(plan.proposal.conditionals, [&](int conditional) {
      return plan.summed.variables().contains(image.conditionals[static_cast<size_t>(conditional)].target);
    });
  }
  plan.prior = prior_order(image, plan);
  return plan;
}

std::string text_of_likelihood(const Image& image, const Importance& plan) {
  std::string text = "log p(" + image.names(plan.known);
  if (!plan.conditioned.empty()) text += " | " + image.names(plan.conditioned);
  return text + ")";
}

std::vector<std::pair<int, Importance>> plan_evaluation(const Image& image, Sampler& sampler, Need need,
                                                        const std::set<int>& drawn) {
  std::vector<std::pair<int, Importance>> found;
  for (int source : evaluated_sources(image, sampler))
    if (auto plan = plan_importance(image, image.sources[static_cast<size_t>(source)], need, drawn))
      found.emplace_back(source, std::move(*plan));
  const bool decoders = std::any_of(image.players.begin(), image.players.end(),
                                    [](const Player& player) { return player.role == Role::decoder; });
  if (!decoders)
    throw Failure(Exit::bad_configuration,
                  fmt::format("{} need a decoder, and {} declares none: write `decoder` instead of "
                              "`player` for the player that models the data",
                              name_of(need), image.file));
  if (found.empty())
    throw Failure(Exit::bad_configuration,
                  fmt::format("{} need a source with rows of a variable that a decoder gives; there is none",
                              name_of(need)));
  return found;
}

}  // namespace core
