#include "compiler/game/bound.h"

#include <algorithm>
#include <set>

#include "compiler/semantics/bounds.h"

namespace game {
namespace {
using namespace semantics;

struct BoundChecker {
  const Model& model;
  const completion::Players& players;
  base::Report& report;
  const Learn& learn;
  const Source& source;

  base::Diagnostic& refuse(const std::string& why) {
    return report.add(base::E0812, learn.span, learn.method, source.name, why);
  }

  bool decoded(VariableId variable) const {
    return std::any_of(model.conditionals.begin(), model.conditionals.end(), [&](const Conditional& c) {
      return c.target == variable && c.player.index >= 0 && model[c.player].role == Role::decoder;
    });
  }

  /// A root that is drawn has a density: the decoder's, else the one that a source states.
  void check_prior(VariableId root) {
    std::vector<base::Span> stated, sampled;
    for (const Source& other : model.sources)
      for (const Given& given : other.givens)
        if (given.variable == root) (given.drawn ? stated : sampled).push_back(given.span);
    if (stated.size() == 1) return;
    const std::string& name = model[root].name;
    if (stated.size() > 1) {
      auto& error = refuse(fmt::format("{} sources state the prior of `{}`", stated.size(), name));
      for (const base::Span at : stated) error.note(at, "it is stated here");
      error.help(fmt::format("let the decoder state it: `{} ~ ...`", name));
      return;
    }
    auto& error = refuse(sampled.empty() ? fmt::format("nothing states the prior of `{}`", name)
                                         : fmt::format("the prior of `{}` is known by samples only", name));
    if (!sampled.empty()) error.note(sampled[0], "they are given here");
    error.help(
        fmt::format("`learn symmetric` takes it as it is; a bound needs a density, `{} ~ ...` in the decoder "
                    "or in a source",
                    name));
  }

  void check() {
    completion::Variables given;
    for (const Given& line : source.givens) given.insert(line.variable.index);
    std::set<VariableId> missing = needed_of(model, source);
    for (const VariableId variable : missing)
      if (!decoded(variable)) check_prior(variable);
    std::optional<std::pair<ConditionalId, VariableId>> ignoring;
    for (bool progress = true; progress;) {
      progress = false;
      for (size_t i = 0; i < model.conditionals.size(); ++i) {
        const Conditional& c = model.conditionals[i];
        if (c.player.index < 0 || model[c.player].role != Role::encoder || !missing.contains(c.target))
          continue;
        if (!std::all_of(c.parents.begin(), c.parents.end(),
                         [&](VariableId parent) { return given.contains(parent.index); }))
          continue;
        const bool word = std::any_of(source.words.begin(), source.words.end(), [&](const Source::Word& w) {
          return w.variable == c.target && w.player == c.player;
        });
        const auto ignored = players.ignored(static_cast<int>(i), given);
        if (ignored && !word) {
          ignoring = {ConditionalId{static_cast<int32_t>(i)}, VariableId{*ignored}};
          continue;
        }
        given.insert(c.target.index);
        missing.erase(c.target);
        progress = true;
      }
    }
    if (missing.empty()) return;
    auto& error = refuse(fmt::format("the encoders do not draw `{}` directly", model[*missing.begin()].name));
    if (ignoring && missing.contains(model[ignoring->first].target))
      error.note(model[ignoring->first].span, fmt::format("this would ignore `{}`, which is known or drawn",
                                                          model[ignoring->second].name));
    error.note(source.span, "the source is here")
        .help(fmt::format("let an encoder give `{}` from what the source gives, or leave the source out by "
                          "`sources`",
                          model[*missing.begin()].name));
  }
};

}  // namespace

void check_bounds(const Model& model, const completion::Players& players, base::Report& report) {
  for (const Learn& learn : model.learns) {
    if (learn.method == "symmetric" || learn.method == "supervised") continue;
    for (const SourceId source : learn.sources)
      BoundChecker{model, players, report, learn, model[source]}.check();
  }
}

}  // namespace game
