#include <fmt/format.h>

#include "compiler/game/equilibrium.h"
#include "compiler/game/game.h"
#include "compiler/game/names.h"
#include "compiler/game/objective.h"
#include "compiler/game/rows/published.h"
#include "compiler/game/unlearned.h"

namespace game {
namespace {
using nlohmann::json;
using semantics::Model;

std::string completion_text(const Model& model, const Completion& completion) {
  if (!completion.chain) {
    const Draw& draw = completion.draws[0];
    return draw_text(model, draw.conditional) + (draw.word ? "  (chosen by `complete`)" : "");
  }
  std::string text;
  for (const Draw& draw : completion.draws) {
    text += (text.empty() ? "" : ", ") + draw_text(model, draw.conditional);
  }
  return fmt::format("a Gibbs chain of {} sweeps: {}", completion.sweeps, text);
}

std::string simulated_text(const Model& model, const SourceGame& source) {
  std::string text;
  for (const Simulated& simulated : source.simulated)
    text += fmt::format("{:11}{}: rows of {}, run {}\n", "", variable_names(model, simulated.variables),
                        simulated.file, simulated.run);
  for (const FromPeer& peer : source.peers)
    text += fmt::format("{:11}{}: rows that peer {} publishes\n", "", variable_names(model, peer.variables),
                        peer.peer);
  return text;
}

/// What is certain about the equilibrium of the game; empty if nothing is.
std::string equilibrium_text(const Model& model, const Game& game, const Play& play) {
  switch (judge_equilibrium(model, game, play)) {
    case Equilibrium::unique:
      return "equilibrium: unique, if all sources show one distribution\n";
    case Equilibrium::perhaps_a_continuum:
      return fmt::format("warning: perhaps a continuum of equilibria: no source knows all variables of {}\n",
                         conditional_text(model, *never_seen_whole(model, game, play)));
    case Equilibrium::none:
      break;
  }
  return "";
}

std::string utilities_text(const Model& model, const Game& game, const Play& play, const char* indent) {
  std::string text;
  for (size_t i = 0; i < model.players.size(); ++i)
    if (play.learns[i])
      text += fmt::format("{}{} maximizes  {}\n", indent, model.players[i].name,
                          utility_text(model, game, {static_cast<int32_t>(i)}, play));
  return text;
}

/// The objectives of the learn blocks with another method or another game than the one above, and the
/// variables that learn blocks sum over instead of drawing them.
std::string learns_text(const Model& model, const Game& game) {
  std::string text;
  for (size_t l = 0; l < model.learns.size(); ++l) {
    const std::vector<std::string> lines = objective_lines(model, game, l);
    const bool sums = l < game.sums.size() && !game.sums[l].empty();
    const std::vector<std::string> unlearned = unlearned_lines(model, game, l);
    const bool other_game = plays_another_game(model, model.learns[l]);
    if (lines.empty() && !sums && unlearned.empty() && !other_game) continue;
    text += fmt::format("\nlearn {}\n", model.learns[l].name);
    const char* heading = "maximizes";
    for (const std::string& line : lines) {
      text += fmt::format("  {:<9}  {}\n", heading, line);
      heading = "        +";
    }
    if (other_game) {
      const Play play = play_of(model, model.learns[l]);
      const std::string utilities = utilities_text(model, game, play, "  ");
      text += utilities.empty() ? "  no player learns\n" : utilities;
      if (const std::string known = equilibrium_text(model, game, play); !known.empty()) text += "  " + known;
    }
    for (const std::string& line : unlearned) text += fmt::format("  note: {}\n", line);
    if (!sums) continue;
    for (const Sum& sum : game.sums[l])
      text += fmt::format("  sums over {} in {}: {} values, weighted by {}\n",
                          model[model[sum.conditional].target].name, model[sum.source].name, sum.values,
                          conditional_text(model, sum.conditional));
  }
  return text;
}

}  // namespace

std::string explain_text(const Model& model, const Game& game) {
  const bool plays = plays_the_game(model);
  std::string text;
  if (!plays)
    text += "Draws and terms are those of `learn symmetric`; what this file maximizes stands at the end.\n\n";
  for (const SourceGame& source : game.sources) {
    const semantics::Source& declared = model[source.source];
    text += fmt::format("source {}", declared.name);
    if (declared.weight == 0) {
      text += fmt::format(" (weight 0: never learned from)\n  knows    {}\n{}\n",
                          variable_names(model, source.known), simulated_text(model, source));
      continue;
    }
    text += declared.weight == 1 ? "\n" : fmt::format(" (weight {:g})\n", declared.weight);
    text += fmt::format("  knows    {}\n",
                        source.known.empty() ? "nothing" : variable_names(model, source.known));
    text += simulated_text(model, source);
    const char* heading = "draws";
    for (const Completion& completion : source.completions) {
      text += fmt::format("  {:<8} {}\n", heading, completion_text(model, completion));
      heading = "";
    }
    heading = "terms";
    for (const ConditionalId id : source.terms) {
      text += fmt::format("  {:<8} log {}\n", heading, conditional_text(model, id));
      heading = "";
    }
    heading = "left out";
    for (const LeftOut& left : source.left_out) {
      text += fmt::format("  {:<8} log {}: {} missing\n", heading, conditional_text(model, left.conditional),
                          variable_names(model, left.missing));
      heading = "";
    }
    if (!source.undrawn.empty()) {
      text += fmt::format("  undrawn  {}: no term needs it\n", variable_names(model, source.undrawn));
    }
    for (const Completion& completion : source.completions) {
      if (completion.chain && !completion.asked) {
        text += "  warning: the file did not ask for this chain; a finite chain is approximate\n";
      }
    }
    text += "\n";
  }
  if (game.published)
    text += fmt::format("publishes  {}; nothing else leaves the program\n\n",
                        published_text(model, *game.published));
  const Play declared = declared_play(model);
  const bool declared_game = plays_declared_game(model);
  if (declared_game) text += utilities_text(model, game, declared, "");
  const std::string learns = learns_text(model, game);
  text += declared_game || learns.empty() ? learns : learns.substr(1);  // an empty line is there already
  const std::string known = declared_game ? equilibrium_text(model, game, declared) : "";
  return known.empty() ? text : text + "\n" + known;
}

namespace {

json equilibrium_json(Equilibrium equilibrium) {
  if (equilibrium == Equilibrium::unique) return "unique";
  return equilibrium == Equilibrium::perhaps_a_continuum ? json("perhaps a continuum") : json();
}

json players_json(const Model& model, const Game& game, const Play& play) {
  json players = json::array();
  for (size_t i = 0; i < model.players.size(); ++i)
    if (play.learns[i])
      players.push_back({{"name", model.players[i].name},
                         {"utility", utility_text(model, game, {static_cast<int32_t>(i)}, play)}});
  return players;
}

/// The learn blocks with another method, or another game than the declared one.
json learns_json(const Model& model, const Game& game) {
  json learns = json::array();
  for (size_t l = 0; l < model.learns.size(); ++l) {
    if (plays_another_game(model, model.learns[l])) {
      const Play play = play_of(model, model.learns[l]);
      learns.push_back({{"name", model.learns[l].name},
                        {"method", model.learns[l].method},
                        {"players", players_json(model, game, play)},
                        {"equilibrium", equilibrium_json(judge_equilibrium(model, game, play))}});
    }
    if (const auto lines = objective_lines(model, game, l); !lines.empty()) {
      learns.push_back(
          {{"name", model.learns[l].name}, {"method", model.learns[l].method}, {"objective", lines}});
      if (const auto unlearned = unlearned_lines(model, game, l); !unlearned.empty())
        learns.back()["unlearned"] = unlearned;
    }
  }
  return learns;
}

json place_json(const Model& model, ConditionalId id) {
  return {{"player", model[model[id].player].name}, {"variable", model[model[id].target].name}};
}

json draws_json(const Model& model, const std::vector<Completion>& completions) {
  json draws = json::array();
  for (const Completion& completion : completions) {
    if (completion.chain) {
      json chain = json::array();
      for (const Draw& draw : completion.draws) chain.push_back(place_json(model, draw.conditional));
      draws.push_back({{"chain", chain}, {"sweeps", completion.sweeps}, {"asked", completion.asked}});
    } else {
      json draw = place_json(model, completion.draws[0].conditional);
      draw["word"] = completion.draws[0].word;
      draws.push_back(draw);
    }
  }
  return draws;
}

}  // namespace

json explain_json(const Model& model, const Game& game) {
  const auto names = [&](const std::vector<VariableId>& variables) {
    json array = json::array();
    for (const VariableId variable : variables) array.push_back(model[variable].name);
    return array;
  };
  const auto place = [&](ConditionalId id) { return place_json(model, id); };
  json sources = json::array();
  for (const SourceGame& source : game.sources) {
    json terms = json::array(), left_out = json::array();
    for (const ConditionalId id : source.terms) terms.push_back(place(id));
    for (const LeftOut& left : source.left_out) {
      json entry = place(left.conditional);
      entry["missing"] = names(left.missing);
      left_out.push_back(entry);
    }
    sources.push_back({{"name", model[source.source].name},
                       {"weight", model[source.source].weight},
                       {"known", names(source.known)},
                       {"draws", draws_json(model, source.completions)},
                       {"terms", terms},
                       {"left_out", left_out},
                       {"undrawn", names(source.undrawn)}});
    for (const Simulated& simulated : source.simulated)
      sources.back()["simulated"].push_back(
          {{"file", simulated.file}, {"run", simulated.run}, {"variables", names(simulated.variables)}});
    for (const FromPeer& peer : source.peers)
      sources.back()["peers"].push_back({{"peer", peer.peer}, {"variables", names(peer.variables)}});
  }
  const Play declared = declared_play(model);
  const Equilibrium equilibrium =
      plays_declared_game(model) ? judge_equilibrium(model, game, declared) : Equilibrium::none;
  json explained = {{"sources", sources},
                    {"players", players_json(model, game, declared)},
                    {"equilibrium", equilibrium_json(equilibrium)}};
  if (game.published) {
    json& published = explained["published"] = {{"variables", names(game.published->variables)}};
    published["draws"] = draws_json(model, game.published->completions);
  }
  if (json learns = learns_json(model, game); !learns.empty()) explained["learns"] = std::move(learns);
  for (size_t l = 0; l < game.sums.size(); ++l) {
    for (const Sum& sum : game.sums[l]) {
      json entry = place(sum.conditional);
      entry["learn"] = model.learns[l].name;
      entry["source"] = model[sum.source].name;
      entry["values"] = sum.values;
      explained["sums"].push_back(entry);
    }
  }
  return explained;
}

}  // namespace game
