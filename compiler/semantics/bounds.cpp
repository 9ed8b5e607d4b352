#include "compiler/semantics/bounds.h"

#include <algorithm>

namespace semantics {

std::vector<ConditionalId> drawn_latents(const Model& model, const Learn& learn) {
  std::vector<ConditionalId> latents;
  for (const Player& player : model.players) {
    if (player.role != Role::encoder) continue;
    for (const ConditionalId id : player.conditionals) {
      const bool drawn = std::any_of(learn.sources.begin(), learn.sources.end(), [&](SourceId source) {
        const auto& givens = model[source].givens;
        // A source of the latents alone has no bound to estimate.
        const bool observes =
            std::any_of(givens.begin(), givens.end(), [](const Given& g) { return !g.drawn; });
        return observes && std::none_of(givens.begin(), givens.end(),
                                        [&](const Given& g) { return g.variable == model[id].target; });
      });
      if (drawn) latents.push_back(id);
    }
  }
  return latents;
}

void check_estimator(const std::string& kind, const Conditional& latent, base::Span at, const Model& model,
                     base::Report& report) {
  const Variable& variable = model[latent.target];
  const bool finite =
      variable.domain.kind == DomainKind::binary || variable.domain.kind == DomainKind::category;
  const auto refuse = [&](const std::string& why, const std::string& help) {
    report.add(base::E0810, at, kind, variable.name)
        .label(why)
        .note(variable.span, "`" + variable.name + "` is declared here")
        .help(help);
  };
  if (kind == "reparam" && latent.discrete)
    refuse("its draws are not differentiable",
           finite ? "`zgr`, `st`, `gumbel` or `score` would work" : "`score` would work");
  if ((kind == "zgr" || kind == "st" || kind == "gumbel") && !finite)
    refuse(std::string("it is for `binary` and `category`; this is `") + name_of(variable.domain.kind) + "`",
           latent.discrete ? "`score` would work" : "`reparam` or `score` would work");
}

void check_bound(const Learn& learn, base::Span at, const Model& model, base::Report& report) {
  if (learn.method == "symmetric" || learn.method == "supervised") return;
  std::vector<const Player*> decoders, encoders;
  for (const Player& player : model.players) {
    if (player.role == Role::decoder) decoders.push_back(&player);
    if (player.role == Role::encoder) encoders.push_back(&player);
  }
  if (decoders.size() == 1 && !encoders.empty()) return;
  if (decoders.size() > 1) {
    auto& error = report.add(base::E0811, at, learn.method, "one decoder, its model");
    for (const Player* decoder : decoders) error.note(decoder->span, "`" + decoder->name + "` is a decoder");
    error.help("`learn symmetric` takes any number of players");
    return;
  }
  report
      .add(base::E0811, at, learn.method,
           decoders.empty() ? "a decoder, its model" : "an encoder, its inference")
      .help("`learn symmetric` takes players of any kind");
}

}  // namespace semantics
