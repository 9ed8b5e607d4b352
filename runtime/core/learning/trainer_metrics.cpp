// The record of a run: the means of its terms since the last line.
#include <algorithm>

#include "runtime/core/learning/bound_figures.h"
#include "runtime/core/learning/trainer.h"

namespace core {
using nlohmann::json;

json Trainer::metrics(double seconds, double steps_per_second) {
  json utility = json::object(), terms = json::object();
  std::vector<BoundTerm> parts;
  const int64_t last_step = std::max<int64_t>(0, state_.step - 1);
  for (const Player& player : session_.image.players) utility[player.name] = 0.0;
  for (const Term& term : terms_) {
    // If a phase of libi ends between two lines, the line describes the phase that began.
    if (libi_ && (term.total->steps == 0 || term.phase != libi_->phase_at(state_.step - 1))) continue;
    const auto steps = static_cast<double>(std::max<int64_t>(1, term.total->steps));
    const double mean = term.total->sum / (steps * static_cast<double>(term.rows));
    terms[term.name] = mean;
    parts.push_back({term.name, mean, term.share * weight_of(source_name(term), last_step)});
    const double weight = weight_of(term, last_step);
    for (auto& [player, sum] : utility.items())
      if (term.player < 0 || player == player_name(term)) sum = sum.get<double>() + weight * mean;
  }
  for (const Term& term : terms_) *term.total = {};
  json line = {{"step", state_.step},
               {"seconds", seconds},
               {"steps_per_second", steps_per_second},
               {"utility", utility},
               {"terms", terms}};
  const bool shared = !terms_.empty() && std::all_of(terms_.begin(), terms_.end(),
                                                     [](const Term& term) { return term.player < 0; });
  if (shared) {
    line["objective"] = utility.begin().value();
    line.update(bound_figures(session_.image, parts));
  }
  if (libi_) line["libi"] = libi_->record(state_.libi, state_.step - 1);
  return line;
}

}  // namespace core
