#include "compiler/game/supervised.h"

#include <algorithm>

namespace game {

std::vector<ConditionalId> given_terms(const semantics::Model& model, const semantics::Source& source) {
  const auto given = [&](VariableId variable) {
    return std::ranges::count(source.givens, variable, &semantics::Given::variable) > 0;
  };
  std::vector<ConditionalId> terms;
  for (const semantics::Player& player : model.players) {
    for (const ConditionalId id : player.conditionals) {
      const semantics::Conditional& c = model[id];
      if (!c.parameters.empty() && given(c.target) && std::ranges::all_of(c.parents, given))
        terms.push_back(id);
    }
  }
  return terms;
}

Game supervised(const semantics::Model& model, const Game& game) {
  Game given = game;
  for (SourceGame& source : given.sources) {
    source.completions.clear();
    source.terms = given_terms(model, model[source.source]);
  }
  return given;
}

}  // namespace game
