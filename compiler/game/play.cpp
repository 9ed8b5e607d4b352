#include "compiler/game/play.h"

#include <algorithm>

#include "compiler/game/names.h"

namespace game {
using semantics::Learn;
using semantics::Model;

Play declared_play(const Model& model) {
  Play play;
  for (const semantics::Source& source : model.sources) play.weights.push_back({source.weight});
  play.learns.assign(model.players.size(), true);
  return play;
}

Play play_of(const Model& model, const Learn& learn) {
  Play play;
  for (const semantics::Player& player : model.players) play.learns.push_back(!is_frozen(learn, player));
  std::vector<Weight>& weights = play.weights;
  weights.resize(model.sources.size());
  const nlohmann::json own = learn.own.value("weight", nlohmann::json::object());
  for (const semantics::SourceId id : learn.sources) {
    const semantics::Source& source = model[id];
    const nlohmann::json weight = own.value(source.name, nlohmann::json(source.weight));
    if (weight.is_number())
      weights[static_cast<size_t>(id.index)] = {weight.get<double>()};
    else
      weights[static_cast<size_t>(id.index)] = {
          std::max(weight.at("from").get<double>(), weight.at("to").get<double>()), true};
  }
  return play;
}

std::vector<semantics::SourceId> learned_sources(const Model& model, const Learn& learn) {
  const Play play = play_of(model, learn);
  std::vector<semantics::SourceId> learned;
  for (const semantics::SourceId source : learn.sources)
    if (play.weight(source).value > 0) learned.push_back(source);
  return learned;
}

bool learned_rows_may_miss(const Model& model, const Learn& learn) {
  return rows_may_miss(model, learned_sources(model, learn), semantics::MissingValues::usual);
}

bool plays_another_game(const Model& model, const Learn& learn) {
  return learn.method == "symmetric" && play_of(model, learn) != declared_play(model);
}

bool plays_declared_game(const Model& model) {
  return model.learns.empty() || std::ranges::any_of(model.learns, [&](const Learn& learn) {
           return learn.method == "symmetric" && !plays_another_game(model, learn);
         });
}

std::string weight_text(const Weight& weight) {
  return weight.changes ? "weight " : weight_text(weight.value);
}

}  // namespace game
