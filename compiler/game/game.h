// The game that a model's sources and players make: for each source who completes what and which conditionals
// get a term, and for each player its utility. game::derive makes this plain data, and explain prints it.
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
  ConditionalId conditional;  // draws its target
  bool word = false;          // chosen by `complete { v ~ q }`
};

/// One draw, or a Gibbs chain of the listed draws. In each sweep, each player in random order draws its
/// variables again, parents first.
struct Completion {
  bool chain = false;
  std::vector<Draw> draws;  // one draw, or those of a chain grouped by player, parents first
  int sweeps = 0;
  bool asked = false;
};

struct LeftOut {
  ConditionalId conditional;
  std::vector<VariableId> missing;
};

/// Known variables whose rows another trained model draws.
struct Simulated {
  std::string file, run;  // as named in the file
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
  std::vector<Completion> completions;  // in the order in which they happen
  std::vector<ConditionalId> terms;
  std::vector<LeftOut> left_out;
  std::vector<VariableId> undrawn;  // variables that no term needs
};

/// What leaves the program: rows of these variables. The players draw them and use no data.
struct Published {
  std::vector<VariableId> variables;
  std::vector<Completion> completions;  // in the order in which they happen
};

/// A variable that a learn block sums over instead of drawing it.
struct Sum {
  SourceId source;
  ConditionalId conditional;  // would draw the variable; its probabilities are the weights
  int64_t values = 0;
};

struct Game {
  semantics::Graph graph;              // the nodes of the model, then the closed forms of the bounds
  std::vector<SourceGame> sources;     // all sources, also those of weight 0
  std::vector<Bounds> bounds;          // by learn block
  std::vector<std::vector<Sum>> sums;  // by learn block
  std::vector<std::string> utilities;  // by player, as text
  std::optional<Published> published;
};

/// Derives the game. Reports ambiguous draws, sources without terms, conditionals without terms (help:
/// `source generated { }`), and bounds that the model does not allow.
Game derive(const semantics::Model& model, base::Report& report);

/// The model's conditionals in the form that `completion` uses, with the same numbers.
completion::Players players_of(const semantics::Model& model);

/// Fills in the terms of `source` and who completes its rows. The known variables of `source` must be set.
/// Returns false after an error: an ambiguity, or no term.
bool complete_source(const semantics::Model& model, const completion::Players& players, SourceGame& source,
                     base::Report& report);

std::string explain_text(const semantics::Model& model, const Game& game);
nlohmann::json explain_json(const semantics::Model& model, const Game& game);
std::string explain_latex(const semantics::Model& model, const Game& game);  // a whole document
std::string explain_dot(const semantics::Model& model, const Game& game);    // a digraph for Graphviz

}  // namespace game
