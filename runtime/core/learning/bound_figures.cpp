#include "runtime/core/learning/bound_figures.h"

#include <map>
#include <optional>

namespace core {
namespace {

/// Sums over the rows of one source, or over those of its rows that miss the same variables.
struct RowSums {
  double weight = 0;
  std::optional<double> evidence, divergence, bound, elbo;
};

void add(std::optional<double>& sum, double value) { sum = sum.value_or(0) + value; }

/// Encoder targets that are given count in the objective, times `alpha`, but not in the bound.
bool is_evidence(const Image& image, const std::string& owner) {
  const int player = image.player(owner);
  return owner == "source" ||
         (player >= 0 && image.players[static_cast<size_t>(player)].role != Role::encoder);
}

std::map<std::string, RowSums> rows_of(const Image& image, const std::vector<BoundTerm>& terms) {
  std::map<std::string, RowSums> all;
  for (const BoundTerm& term : terms) {
    const size_t at = term.name.rfind('@');
    RowSums& rows = all[term.name.substr(at + 1)];
    rows.weight = term.weight;
    const std::string what = term.name.substr(0, at), owner = what.substr(0, what.find('.'));
    if (what == "bound")
      add(rows.bound, term.mean);
    else if (what == "elbo")
      add(rows.elbo, term.mean);
    else if (owner == "kl")
      add(rows.divergence, term.mean);
    else if (owner != "free" && is_evidence(image, owner))
      add(rows.evidence, term.mean);
  }
  for (auto& [name, rows] : all) {
    if (rows.evidence && !rows.divergence) rows.divergence = 0;  // these rows know all variables of the model
    if (rows.divergence && !rows.evidence) rows.evidence = 0;
    if (rows.evidence) rows.elbo = *rows.evidence - *rows.divergence;
  }
  return all;
}

}  // namespace

nlohmann::json bound_figures(const Image& image, const std::vector<BoundTerm>& terms) {
  const std::map<std::string, RowSums> all = rows_of(image, terms);
  nlohmann::json figures = nlohmann::json::object();
  const auto put = [&](const char* name, std::optional<double> RowSums::* figure) {
    double sum = 0, weights = 0, plain = 0, count = 0;
    for (const auto& [key, rows] : all) {
      const std::optional<double>& value = rows.*figure;
      if (!value) continue;
      sum += rows.weight * *value;
      weights += rows.weight;
      plain += *value;
      count += 1;
    }
    // A schedule may begin at 0, so all weights may be 0
    if (count > 0) figures[name] = weights > 0 ? sum / weights : plain / count;
  };
  put("bound", &RowSums::bound);
  put("elbo", &RowSums::elbo);
  put("reconstruction", &RowSums::evidence);
  put("kl", &RowSums::divergence);
  return figures;
}

}  // namespace core
