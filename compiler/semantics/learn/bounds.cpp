#include "compiler/semantics/learn/bounds.h"

#include <algorithm>

namespace semantics {

std::set<VariableId> needed_of(const Model& model, const Source& source) {
  std::set<VariableId> known, seen;
  std::vector<VariableId> waiting;
  for (const Given& given : source.givens) {
    known.insert(given.variable);
    waiting.push_back(given.variable);
  }
  while (!waiting.empty()) {
    const VariableId variable = waiting.back();
    waiting.pop_back();
    if (!seen.insert(variable).second) continue;
    for (const Conditional& c : model.conditionals)
      if (c.target == variable && c.player.index >= 0 && model[c.player].role == Role::decoder)
        waiting.insert(waiting.end(), c.parents.begin(), c.parents.end());
  }
  for (const VariableId variable : known) seen.erase(variable);
  return seen;
}

static std::vector<ConditionalId> drawn_by_encoders(const Model& model, const std::set<VariableId>& targets) {
  std::vector<ConditionalId> found;
  for (const Player& player : model.players) {
    if (player.role != Role::encoder) continue;
    for (const ConditionalId id : player.conditionals)
      if (targets.contains(model[id].target)) found.push_back(id);
  }
  return found;
}

std::vector<ConditionalId> drawn_latents(const Model& model, const Learn& learn) {
  std::set<VariableId> needed;
  for (const SourceId source : learn.sources) needed.merge(needed_of(model, model[source]));
  return drawn_by_encoders(model, needed);
}

std::vector<ConditionalId> drawn_where_missing(const Model& model, const Learn& learn) {
  std::set<VariableId> missing;
  for (const SourceId source : learn.sources)
    for (const Given& given : model[source].givens)
      if (given.missing != MissingValues::never) missing.insert(given.variable);
  return drawn_by_encoders(model, missing);
}

Estimator estimator_of(const Model& model, const Learn& learn, const Conditional& latent) {
  const Variable& variable = model[latent.target];
  const auto named = [](const nlohmann::json& entry) {
    return Estimator{entry.at("kind"), entry.value("temperature", 1.0)};
  };
  if (learn.own.contains("estimators") && learn.own["estimators"].contains(variable.name))
    return named(learn.own["estimators"][variable.name]);
  if (learn.own.contains("estimator")) return named(learn.own["estimator"]);
  if (!latent.discrete) return {"reparam"};
  const bool finite =
      variable.domain.kind == DomainKind::binary || variable.domain.kind == DomainKind::category;
  return {finite && latent.mean ? "zgr" : "score"};
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
  if (kind == "enumerate" && !finite)
    refuse(std::string("a sum needs finitely many values; this is `") + name_of(variable.domain.kind) + "`",
           latent.discrete ? "`score` would work" : "`reparam` or `score` would work");
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
