// The game that a model's sources and players make: per source who completes what, which
// conditionals get a term; per player its utility. Made by game::derive; plain data, printed by explain.
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "compiler/base/report.h"
#include "compiler/game/bound.h"
#include "compiler/semantics/model.h"

namespace game {
using semantics::ConditionalId;
using semantics::SourceId;
using semantics::VariableId;

struct Draw {
  ConditionalId conditional;  // its target is drawn
  bool word = false;          // chosen by `complete { v ~ q }`
};

/// One draw, or a Gibbs chain over the listed draws: each sweep lets the players, in random order, draw anew
/// what they give, parents first.
struct Completion {
  bool chain = false;
  std::vector<Draw> draws;  // one if not a chain; in a chain grouped by player, parents first
  int sweeps = 0;
  bool asked = false;
};

struct LeftOut {
  ConditionalId conditional;
  std::vector<VariableId> missing;
};

/// Known variables whose rows another trained model draws.
struct Simulated {
  std::string file, run;  // as the file names them
  std::vector<VariableId> variables;
};

/// Known variables whose rows a peer publishes.
struct FromPeer {
  std::string peer;
  std::vector<VariableId> variables;
};

struct SourceGame {
  SourceId source;
  std::vector<VariableId> known;
  std::vector<Simulated> simulated;
  std::vector<FromPeer> peers;
  std::vector<Completion> completions;  // in order
  std::vector<ConditionalId> terms;
  std::vector<LeftOut> left_out;
  std::vector<VariableId> undrawn;  // no term needs them
};

/// What leaves the program: rows of these variables, and how the players draw them from nothing.
struct Published {
  std::vector<VariableId> variables;
  std::vector<Completion> completions;  // in order
};

/// A variable that a learn block sums over in place of drawing it.
struct Sum {
  SourceId source;
  ConditionalId conditional;  // that would draw it: its probabilities are the weights
  int64_t values = 0;
};

enum class Equilibrium { none, unique, perhaps_a_continuum };

struct Game {
  std::vector<SourceGame> sources;     // every source, those of weight 0 too
  std::vector<Bounds> bounds;          // per learn block
  std::vector<std::vector<Sum>> sums;  // per learn block
  std::vector<std::string> utilities;  // per player, as text
  std::optional<Published> published;
  Equilibrium equilibrium = Equilibrium::none;
};

/// Errors: ambiguous draws, sources without terms, conditionals without terms (help: `source generated { }`),
/// bounds that the model does not admit. Adds the bounds' closed forms to the model's graph.
Game derive(semantics::Model& model, base::Report& report);

/// The model's conditionals as the completion sees them; numbered alike.
completion::Players players_of(const semantics::Model& model);

/// Fills in who completes the rows of `source`, whose known variables are there, and its terms. False after
/// an error: an ambiguity, or no term.
bool complete_source(const semantics::Model& model, const completion::Players& players, SourceGame& source,
                     base::Report& report);

std::string explain_text(const semantics::Model& model, const Game& game);
nlohmann::json explain_json(const semantics::Model& model, const Game& game);
std::string explain_latex(const semantics::Model& model, const Game& game);  // a whole document
std::string explain_dot(const semantics::Model& model, const Game& game);    // a digraph for Graphviz

}  // namespace game
