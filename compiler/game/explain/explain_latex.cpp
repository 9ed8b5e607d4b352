// The game as a page of mathematics: for each source the distribution of its completed rows, for each player
// its utility as expectations over these rows.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/game/equilibrium.h"
#include "compiler/game/explain/symbols.h"
#include "compiler/game/game.h"
#include "compiler/game/objective.h"
#include "compiler/game/play.h"

namespace game {
namespace {
using semantics::Model;

constexpr double line_width = 84;      // letters that fit on a line of the page
constexpr size_t factors_in_line = 3;  // an expectation with more factors is not written out but named

const Formula thin_space = {"\\,", 0.5};

constexpr const char* head =
    R"(% Made by vaec explain; pdflatex makes a page of it. For a paper of your own take what stands
% between \begin{{document}} and \end{{document}}: it needs amsmath and amssymb.
\documentclass[fleqn]{{article}}
\usepackage{{amsmath,amssymb}}
\usepackage[a4paper,margin=2cm]{{geometry}}
\setlength{{\parindent}}{{0pt}}
\allowdisplaybreaks
\sloppy
\begin{{document}}
\section*{{The game of \texttt{{{}}}}}
)";

constexpr const char* reading = R"(
Rows of source $s$ come from $\pi_s$; what they leave open is drawn from the players, without gradients.
A row counts zero in a term whose variable was drawn from that very conditional, no parent being drawn since.
)";

/// Sets formulas one after the other, and begins a new line if the next formula does not fit.
class Lines {
 public:
  explicit Lines(const Formula& left) : text_("  " + left.plain() + " &= "), width_(left.width + 2) {}
  void add(const Formula& next, const Formula& between = {}) {
    if (!fresh_ && width_ + next.width > line_width) {
      indented_line();
    } else if (!fresh_) {
      put(between.plain(), between.width);
    }
    fresh_ = false;
    if (width_ + next.width <= line_width) {
      put(next.plain(), next.width);
    } else {
      add_in_parts(next);
    }
  }
  void new_line() {
    text_ += " \\\\\n  &";
    width_ = start_;
  }
  std::string text() const { return "\\begin{align*}\n" + text_ + "\n\\end{align*}\n"; }

 private:
  void put(const std::string& text, double width) {
    text_ += text;
    width_ += width;
  }
  void indented_line() {
    new_line();
    put("\\quad ", 2);
  }
  /// Adds a formula that is wider than a line, broken after commas. The width of a part is estimated by its
  /// share of the text.
  void add_in_parts(const Formula& formula) {
    const double letter = formula.width / static_cast<double>(formula.text.size());
    size_t begin = 0;
    while (begin < formula.text.size()) {
      const size_t found = formula.text.find(may_break, begin);
      const size_t end = std::min(found, formula.text.size());
      const double width = letter * static_cast<double>(end - begin);
      if (begin > 0 && width_ + width > line_width) indented_line();
      put(formula.text.substr(begin, end - begin), width);
      begin = end + 1;
    }
  }

  static constexpr double start_ = 6;
  std::string text_;
  double width_;
  bool fresh_ = true;
};

Formula data_distribution(const semantics::Source& source) {
  return subscript({"\\pi", 1}, symbol(source.name));
}
Formula completed_rows(const semantics::Source& source) {
  return subscript({"\\rho", 1}, symbol(source.name));
}
Formula of(const Formula& function, const Formula& arguments) {
  return function + Formula{"(", 1} + arguments + Formula{")", 1};
}

/// The variables that the chain draws, each once, and the other variables that its draws depend on.
Formula chain_formula(const Model& model, const Completion& chain) {
  std::vector<VariableId> drawn, given;
  Formula players;
  semantics::PlayerId last;
  const auto add_once = [](std::vector<VariableId>& list, VariableId variable) {
    if (std::find(list.begin(), list.end(), variable) == list.end()) list.push_back(variable);
  };
  for (const Draw& draw : chain.draws) add_once(drawn, model[draw.conditional].target);
  for (const Draw& draw : chain.draws) {
    const semantics::Conditional& conditional = model[draw.conditional];
    for (const VariableId parent : conditional.parents) {
      if (std::find(drawn.begin(), drawn.end(), parent) == drawn.end()) add_once(given, parent);
    }
    if (!players.text.empty() && conditional.player == last) continue;
    if (!players.text.empty()) players += {", ", 1};
    players += symbol(model[conditional.player].name);
    last = conditional.player;
  }
  Formula arguments = symbols(model, drawn);
  if (!given.empty()) arguments += Formula{" \\mid ", 2} + symbols(model, given);
  const Formula name = {fmt::format("\\mathcal{{G}}^{{{}}}", chain.sweeps), 3};
  return of(subscript(name, players), arguments);
}

/// pi(x), q(z | x), ...: the distributions from which the completed rows of a source are drawn, in order.
std::vector<Formula> factors(const Model& model, const SourceGame& source) {
  std::vector<Formula> result;
  if (!source.known.empty()) {
    result.push_back(of(data_distribution(model[source.source]), symbols(model, source.known)));
  }
  for (const Completion& completion : source.completions) {
    result.push_back(completion.chain ? chain_formula(model, completion)
                                      : conditional_formula(model, completion.draws[0].conditional));
  }
  return result;
}

/// The formula in running text. A long formula may be broken there.
std::string in_line(const Formula& formula) {
  if (formula.width < line_width / 2) return "$" + formula.plain() + "$";
  std::string text;
  for (const char c : formula.text) text += c == may_break ? std::string("\\allowbreak ") : std::string(1, c);
  return "$" + text + "$";
}

/// Which of the known variables another model draws.
std::string simulated_latex(const Model& model, const SourceGame& source) {
  std::string text;
  for (const Simulated& simulated : source.simulated)
    text += fmt::format("Rows of \\texttt{{{}}}, run \\texttt{{{}}}: {}.\n", escape_latex(simulated.file),
                        escape_latex(simulated.run), in_line(symbols(model, simulated.variables)));
  for (const FromPeer& peer : source.peers)
    text += fmt::format("Rows that peer \\texttt{{{}}} publishes: {}.\n", escape_latex(peer.peer),
                        in_line(symbols(model, peer.variables)));
  return text;
}

std::string source_text(const Model& model, const SourceGame& source) {
  const semantics::Source& declared = model[source.source];
  std::string text = fmt::format("\n\\paragraph{{Source \\texttt{{{}}}}}", escape_latex(declared.name));
  if (declared.weight == 0) {
    return text + " of weight 0: never learned from." +
           (source.known.empty() ? "" : " It knows " + in_line(symbols(model, source.known)) + ".") + "\n" +
           simulated_latex(model, source);
  }
  if (declared.weight != 1) text += fmt::format(" of weight ${}$", weight_formula(declared.weight).text);
  text += "\n";
  Lines lines(completed_rows(declared));
  for (const Formula& factor : factors(model, source)) lines.add(factor, thin_space);
  text += lines.text() + simulated_latex(model, source);
  for (const Completion& completion : source.completions) {
    for (const Draw& draw : completion.draws) {
      if (draw.word) {
        text += fmt::format("The draw from {} is chosen by \\texttt{{complete}}.\n",
                            in_line(conditional_formula(model, draw.conditional)));
      }
    }
    if (!completion.chain) continue;
    std::string draws;
    for (const Draw& draw : completion.draws) {
      const Formula drawn = symbol(model[model[draw.conditional].target].name) + Formula{" \\sim ", 2} +
                            conditional_formula(model, draw.conditional);
      draws += (draws.empty() ? "" : ", ") + in_line(drawn);
    }
    text += fmt::format("{} is a Gibbs chain of {} sweeps over {}", in_line(chain_formula(model, completion)),
                        completion.sweeps, draws);
    text +=
        completion.asked ? ".\n" : ".\nThe file did not ask for this chain; a finite chain is approximate.\n";
  }
  for (const LeftOut& left : source.left_out) {
    text += fmt::format("Left out: {}, for want of {}.\n",
                        in_line(Formula{"\\log ", 3} + conditional_formula(model, left.conditional)),
                        in_line(symbols(model, left.missing)));
  }
  if (!source.undrawn.empty()) {
    text += fmt::format("Not drawn, since no term needs it: {}.\n", in_line(symbols(model, source.undrawn)));
  }
  return text;
}

/// Says what leaves the program.
std::string published_paragraph(const Model& model, const Published& published) {
  std::string draws;
  for (const Completion& completion : published.completions) {
    std::string step;
    for (const Draw& draw : completion.draws)
      step += (step.empty() ? "" : ", ") +
              in_line(symbol(model[model[draw.conditional].target].name) + Formula{" \\sim ", 2} +
                      conditional_formula(model, draw.conditional));
    if (completion.chain) step = fmt::format("a Gibbs chain of {} sweeps over {}", completion.sweeps, step);
    draws += (draws.empty() ? "" : "; ") + step;
  }
  return fmt::format(
      "\n\\paragraph{{Published}}\nRows of {}, drawn by {}. Nothing else leaves the program.\n",
      in_line(symbols(model, published.variables)), draws);
}

/// The expectation over the rows of a source. If it is short, it is written out; otherwise it is over rho,
/// which is defined with the source.
Formula expectation(const Model& model, const SourceGame& source) {
  const std::vector<Formula> all = factors(model, source);
  const Formula mean = {"\\mathbb{E}", 1};
  Formula whole;
  for (const Formula& factor : all) whole += subscript(mean, factor) + thin_space;
  if (all.size() <= factors_in_line && whole.width < line_width / 2) return whole;
  return subscript(mean, completed_rows(model[source.source])) + thin_space;
}

std::string utility(const Model& model, const Game& game, size_t player, const Play& play) {
  Lines lines(subscript({"\\mathcal{L}", 1}, symbol(model.players[player].name)));
  bool first = true;
  for (const SourceGame& source : game.sources) {
    const Weight& factor = play.weight(source.source);
    if (factor.value == 0) continue;
    std::vector<Formula> terms;
    for (const ConditionalId id : source.terms) {
      if (model[id].player.index == static_cast<int32_t>(player)) {
        terms.push_back(Formula{"\\log ", 3} + conditional_formula(model, id));
      }
    }
    if (terms.empty()) continue;
    if (!first) lines.new_line();
    Formula opening = {first ? "" : "{} + ", 3};
    const Formula weight = factor.changes ? Formula{"\\mathrm{weight}", 4} : weight_formula(factor.value);
    if (!weight.text.empty()) opening += weight + thin_space;
    opening += expectation(model, source);
    if (terms.size() > 1) opening += {"\\bigl[ ", 1};
    for (size_t i = 0; i < terms.size(); ++i) {
      Formula term = (i == 0 ? opening : Formula{" + ", 3}) + terms[i];
      if (terms.size() > 1 && i + 1 == terms.size()) term += {" \\bigr]", 1};
      lines.add(term);
    }
    first = false;
  }
  if (first) lines.add({"0", 1});
  return lines.text();
}

/// The utilities of all players, and what is certain about the equilibrium.
std::string utilities(const Model& model, const Game& game, const Play& play) {
  std::string text;
  for (size_t i = 0; i < model.players.size(); ++i)
    if (play.learns[i]) text += utility(model, game, i, play);
  switch (judge_equilibrium(model, game, play)) {
    case Equilibrium::unique:
      return text + "\nThe equilibrium is unique, if all sources show one distribution.\n";
    case Equilibrium::perhaps_a_continuum:
      return text + fmt::format("\nPerhaps a continuum of equilibria: no source knows all variables of {}.\n",
                                in_line(conditional_formula(model, *never_seen_whole(model, game, play))));
    case Equilibrium::none:
      break;
  }
  return text;
}

}  // namespace

std::string explain_latex(const Model& model, const Game& game) {
  std::string text = fmt::format(head, escape_latex(model.name)) + reading;
  text += "\n\\subsection*{Sources}\n";
  for (const SourceGame& source : game.sources) text += source_text(model, source);
  if (game.published) text += published_paragraph(model, *game.published);
  text += "\n\\subsection*{Utilities}\n";
  if (plays_declared_game(model) || !plays_the_game(model))
    text += utilities(model, game, declared_play(model));
  for (const semantics::Learn& learn : model.learns)
    if (plays_another_game(model, learn))
      text += fmt::format("\n\\paragraph{{Learn \\texttt{{{}}}}}\n{}", escape_latex(learn.name),
                          utilities(model, game, play_of(model, learn)));
  return text + "\\end{document}\n";
}

}  // namespace game
