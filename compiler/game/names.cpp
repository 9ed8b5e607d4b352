#include "compiler/game/names.h"

#include <fmt/format.h>

namespace game {
using semantics::Model;

std::string conditional_text(const Model& model, ConditionalId id) {
  const semantics::Conditional& conditional = model[id];
  std::string text = fmt::format("{}({}", model[conditional.player].name, model[conditional.target].name);
  const char* separator = " | ";
  for (const VariableId parent : conditional.parents) {
    text += separator + model[parent].name;
    separator = ", ";
  }
  return text + ")";
}

std::string draw_text(const Model& model, ConditionalId id) {
  return fmt::format("{} ~ {}", model[model[id].target].name, conditional_text(model, id));
}

std::string variable_names(const Model& model, const std::vector<VariableId>& variables) {
  std::string names;
  for (const VariableId variable : variables) names += (names.empty() ? "" : ", ") + model[variable].name;
  return names;
}

std::string weight_text(double weight) { return weight == 1 ? "" : fmt::format("{:g} ", weight); }

std::string utility_text(const Model& model, const Game& game, semantics::PlayerId player, const Play& play) {
  std::string text;
  for (const SourceGame& source : game.sources) {
    const Weight& weight = play.weight(source.source);
    if (weight.value == 0) continue;
    for (const ConditionalId id : source.terms) {
      if (model[id].player != player) continue;
      text += fmt::format("{}{}E_{} log {}", text.empty() ? "" : " + ", weight_text(weight),
                          model[source.source].name, conditional_text(model, id));
    }
  }
  return text.empty() ? "0" : text;
}

}  // namespace game
