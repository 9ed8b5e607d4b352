// The game as a picture for Graphviz. The first box shows the players' conditionals; the others show for each
// source who draws what. Each player has a colour; grey variables are known.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "compiler/game/game.h"
#include "compiler/game/names.h"
#include "compiler/game/rows/published.h"

namespace game {
namespace {
using semantics::Model;

/// Colours that are dark enough for text on white and that most people can tell apart (after Okabe and Ito).
/// With more than eight players, colours repeat.
constexpr std::array<const char*, 8> palette = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                "#8C6D00", "#56708C", "#7B3294", "#444444"};

const char* colour(semantics::PlayerId player) {
  return palette[static_cast<size_t>(player.index) % palette.size()];
}
/// One line of a label, aligned to the left.
std::string line(const std::string& text) { return text + "<br align=\"left\"/>"; }
/// Text from the file, escaped for a label.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text)
    result += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  return result;
}
std::string coloured(semantics::PlayerId player, const std::string& text) {
  return fmt::format("<font color=\"{}\">{}</font>", colour(player), text);
}

/// One box. The names of its nodes begin with its number, so that every source has its own node for a
/// variable.
class Cluster {
 public:
  Cluster(const Model& model, size_t number, const std::string& label)
      : model_(model),
        number_(number),
        text_(fmt::format("  subgraph cluster_{} {{\n    label=<{}>\n", number, label)) {}

  void node(VariableId variable, const std::string& style) {
    text_ += fmt::format("{}    {} [label=\"{}\"{}]\n", indent_, id(variable), model_[variable].name, style);
  }
  /// Draws an edge from each parent to the target. A conditional without parents gets an edge from a dot.
  void edges(ConditionalId conditional, const std::string& style) {
    const semantics::Conditional& declared = model_[conditional];
    const std::string attributes = fmt::format("color=\"{}\"{}", colour(declared.player), style);
    for (const VariableId parent : declared.parents) {
      text_ += fmt::format("    {} -> {} [{}]\n", id(parent), id(declared.target), attributes);
    }
    if (declared.parents.empty()) {
      const std::string root = fmt::format("\"{}.root {}\"", number_, conditional.index);
      text_ += fmt::format("    {} [shape=point, width=0.08, height=0.08, color=\"{}\"]\n", root,
                           colour(declared.player));
      text_ += fmt::format("    {} -> {} [{}]\n", root, id(declared.target), attributes);
    }
  }
  void open_chain(size_t chain, const Completion& completion) {
    text_ += fmt::format(
        "    subgraph cluster_{}_{} {{\n      label=\"Gibbs chain, {} sweeps{}\"\n      style=dashed\n",
        number_, chain, completion.sweeps, completion.asked ? "" : "\\n(not asked for)");
    indent_ = "  ";
  }
  void close_chain() {
    text_ += "    }\n";
    indent_ = "";
  }
  std::string text() const { return text_ + "  }\n"; }

 private:
  std::string id(VariableId variable) const {
    return fmt::format("\"{}.{}\"", number_, model_[variable].name);
  }

  const Model& model_;
  size_t number_;
  std::string text_, indent_;
};

constexpr const char* known_style = ", style=filled, fillcolor=\"#D9D9D9\"";
constexpr const char* missing_style = ", style=dotted, fontcolor=\"#888888\"";

std::string drawn_style(const Model& model, const Draw& draw) {
  return fmt::format(", color=\"{}\"", colour(model[draw.conditional].player));
}

std::string players_cluster(const Model& model) {
  std::string label = line("<b>players</b>");
  for (size_t i = 0; i < model.players.size(); ++i) {
    label += line(coloured({static_cast<int32_t>(i)}, model.players[i].name));
  }
  Cluster cluster(model, 0, label);
  for (int32_t i = 0; i < static_cast<int32_t>(model.variables.size()); ++i) cluster.node({i}, "");
  for (const semantics::Player& player : model.players) {
    // A dashed conditional is fixed: it is drawn from, but never learns.
    for (const ConditionalId id : player.conditionals) {
      cluster.edges(id, model[id].parameters.empty() ? ", style=dashed" : "");
    }
  }
  return cluster.text();
}

std::string source_cluster(const Model& model, const SourceGame& source, size_t number) {
  const semantics::Source& declared = model[source.source];
  std::string label = line(fmt::format("<b>{}</b>", declared.name));
  if (declared.weight == 0) {
    label += line("weight 0: never learned from");
  } else if (declared.weight != 1) {
    label += line(fmt::format("weight {:g}", declared.weight));
  }
  for (const Simulated& simulated : source.simulated) {
    label += line(fmt::format("{} from {} ({})", variable_names(model, simulated.variables),
                              escaped(simulated.file), escaped(simulated.run)));
  }
  for (const FromPeer& peer : source.peers) {
    label += line(fmt::format("{} from peer {}", variable_names(model, peer.variables), escaped(peer.peer)));
  }
  if (declared.weight != 0) {
    for (const ConditionalId id : source.terms) {
      label += line(coloured(model[id].player, "log " + conditional_text(model, id)));
    }
  }
  Cluster cluster(model, number, label);
  std::set<VariableId> shown(source.known.begin(), source.known.end());
  for (const VariableId variable : source.known) cluster.node(variable, known_style);
  if (declared.weight == 0) return cluster.text();
  std::vector<Draw> draws;
  for (size_t i = 0; i < source.completions.size(); ++i) {
    const Completion& completion = source.completions[i];
    if (completion.chain) cluster.open_chain(i, completion);
    for (const Draw& draw : completion.draws) {
      if (shown.insert(model[draw.conditional].target).second) {
        cluster.node(model[draw.conditional].target, drawn_style(model, draw));
      }
      draws.push_back(draw);
    }
    if (completion.chain) cluster.close_chain();
  }
  for (int32_t i = 0; i < static_cast<int32_t>(model.variables.size()); ++i) {
    if (!shown.contains({i})) cluster.node({i}, missing_style);
  }
  for (const Draw& draw : draws) cluster.edges(draw.conditional, draw.word ? ", label=\"chosen\"" : "");
  return cluster.text();
}

}  // namespace

std::string explain_dot(const Model& model, const Game& game) {
  std::string text =
      "// Made by vaec explain; dot -Tsvg draws it. Grey variables are known, an edge is a draw in the "
      "colour of\n"
      "// the player that makes it (`chosen`: by `complete` in the file), what is dotted is missing. In the "
      "first\n"
      "// box dashed conditionals are fixed.\n";
  text += "digraph game {\n";
  text += "  graph [fontname=\"Helvetica\", fontsize=12, labeljust=l, rankdir=TB, color=\"#BBBBBB\"]\n";
  text +=
      "  node [fontname=\"Helvetica\", fontsize=12, shape=ellipse, height=0.4, width=0.5, penwidth=1.5]\n";
  text += "  edge [fontname=\"Helvetica\", fontsize=9, arrowsize=0.7]\n";
  text += players_cluster(model);
  for (size_t i = 0; i < game.sources.size(); ++i) text += source_cluster(model, game.sources[i], i + 1);
  if (game.published)
    text += fmt::format("  published [shape=note, label=\"publishes {}\"]\n",
                        published_text(model, *game.published));
  return text + "}\n";
}

}  // namespace game
