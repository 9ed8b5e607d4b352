#include "compiler/game/objective.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/game/names.h"
#include "compiler/game/supervised.h"

namespace game {
namespace {
using semantics::Learn;
using semantics::Model;
using semantics::Source;

/// p(x | z). For a family that a source states: codes(z), with the source's name.
std::string density_text(const Model& model, ConditionalId id) {
  if (model[id].player.index >= 0) return conditional_text(model, id);
  for (const Source& source : model.sources)
    for (const semantics::Given& given : source.givens)
      if (given.drawn == id) return fmt::format("{}({})", source.name, model[model[id].target].name);
  return model[model[id].target].name;
}

/// "log p(x | z) + log p(y | z)".
std::string sum_of_logs(const Model& model, const std::vector<ConditionalId>& conditionals) {
  std::string text;
  for (const ConditionalId id : conditionals)
    text += fmt::format("{}log {}", text.empty() ? "" : " + ", density_text(model, id));
  return text;
}

/// The factor in front of a term: a number, or the name of the key if its value follows a schedule.
std::string factor_text(const Learn& learn, const char* key, double otherwise) {
  if (!learn.own.contains(key)) return weight_text(otherwise);
  nlohmann::json value = learn.own.at(key);
  if (value.is_object() && value.at("kind") == "constant") value = nlohmann::json(value.at("to"));
  return value.is_number() ? weight_text(value.get<double>()) : fmt::format("{} ", key);
}

std::string elbo_text(const Model& model, const Learn& learn, const Bound& bound) {
  std::string text = sum_of_logs(model, bound.evidence);
  const std::string beta = factor_text(learn, "beta", 1);
  for (const Latent& latent : bound.latents) {
    const std::string q = density_text(model, latent.posterior), p = density_text(model, latent.prior);
    text += latent.kl ? fmt::format(" - {}KL({} || {})", beta, q, p)
                      : fmt::format(" - {}(log {} - log {})", beta, q, p);
  }
  if (!bound.recognised.empty()) {
    const std::string alpha = factor_text(learn, "alpha", 0), logs = sum_of_logs(model, bound.recognised);
    text += alpha.empty() ? " + " + logs : fmt::format(" + {}({})", alpha, logs);
  }
  return text;
}

/// The logarithm of the mean of K weights p / q.
std::string weights_text(const Model& model, const Learn& learn, const Bound& bound) {
  std::string above, below;
  const auto times = [&](std::string& text, ConditionalId id) {
    text += (text.empty() ? "" : " ") + density_text(model, id);
  };
  for (const ConditionalId id : bound.evidence) times(above, id);
  for (const Latent& latent : bound.latents) {
    times(above, latent.prior);
    times(below, latent.posterior);
  }
  if (below.empty()) return sum_of_logs(model, bound.evidence);
  return fmt::format("log mean over {} draws of {} / {}", learn.own.value("samples", int64_t{10}), above,
                     below);
}

std::string bound_text(const Model& model, const Learn& learn, const Bound& bound) {
  if (learn.method == "elbo") return elbo_text(model, learn, bound);
  std::string text = weights_text(model, learn, bound);
  std::vector<ConditionalId> posteriors;
  for (const Latent& latent : bound.latents) posteriors.push_back(latent.posterior);
  if (posteriors.empty()) return text;
  if (learn.method == "rws")
    text += fmt::format("; encoders: {} on the draws, by their weights", sum_of_logs(model, posteriors));
  if (learn.method == "libi") text += ", then the gap of its bound at that likelihood";
  return text;
}

}  // namespace

bool plays_the_game(const Model& model) {
  return model.learns.empty() || std::ranges::count(model.learns, "symmetric", &Learn::method) > 0;
}

std::vector<std::string> objective_lines(const Model& model, const Game& game, size_t l) {
  const Learn& learn = model.learns[l];
  const Play play = play_of(model, learn);
  std::vector<std::string> lines;
  const auto add = [&](SourceId source, const std::string& text) {
    lines.push_back(fmt::format("{}E_{} [ {} ]", weight_text(play.weight(source)), model[source].name, text));
  };
  if (learn.method == "supervised") {
    for (const SourceId source : learn.sources)
      if (const auto terms = given_terms(model, model[source]); !terms.empty())
        add(source, sum_of_logs(model, terms));
  }
  if (l < game.bounds.size())
    for (const Bound& bound : game.bounds[l].sources) add(bound.source, bound_text(model, learn, bound));
  return lines;
}

}  // namespace game
